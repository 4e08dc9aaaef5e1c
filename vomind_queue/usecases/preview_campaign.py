"""Say when each call of a campaign would ring, and why not: a dry run that stores nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from vomind_queue.calls.call import Call
from vomind_queue.calls.campaign import NOT_ENDED, CampaignState, CampaignView
from vomind_queue.rules.caps import NO_HISTORY
from vomind_queue.rules.dry_run import Assumed, DryRun, Never, Planned, Waiting, per_hour
from vomind_queue.rules.turns import Share
from vomind_queue.usecases.calling_rules import CallingRules


class Reader(Protocol):
    """What this needs of the queue."""

    def waiting(self, campaign_id: str, *, not_before_ms: int = 0) -> Iterator[Waiting]: ...
    def beside(self, campaign_id: str, lasts_ms: int) -> tuple[Share, Assumed]: ...


class Shown(Protocol):
    """Where campaigns are kept."""

    def show(self, campaign_id: str) -> CampaignView: ...


class Numbers(Protocol):
    """The do-not-call list."""

    def listed(self, numbers: Sequence[str]) -> frozenset[str]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What would become of the calls of a campaign that have not started."""

    #: When the dry run begins, and how long it assumes that a call lasts, ms.
    from_ms: int
    lasts_ms: int
    #: In the order in which the campaign was given them.
    calls: Sequence[Planned]

    @property
    def times(self) -> Sequence[int]:
        """When calls would start, unix ms, the first one first."""
        return sorted(call.at_ms for call in self.calls if call.at_ms is not None)

    @property
    def hours(self) -> Mapping[int, int]:
        """How many would start in which hour."""
        return per_hour(self.times)

    @property
    def held(self) -> Mapping[str, int]:
        """How many a rule, or another call to the number, would hold up, by the last of these."""
        return Counter(call.why for call in self.calls if call.at_ms is not None and call.why)

    @property
    def never(self) -> Mapping[str, int]:
        """How many would not start, by the reason."""
        return Counter(call.why for call in self.calls if call.at_ms is None)


class PreviewCampaign:
    """Dry runs. Everything may raise StoreUnavailable."""

    def __init__(
        self, reader: Reader, campaigns: Shown, rules: CallingRules, numbers: Numbers
    ) -> None:
        self._reader = reader
        self._campaigns = campaigns
        self._rules = rules
        self._numbers = numbers

    def plan(self, campaign_id: str, lasts_ms: int) -> Plan:
        """Return when each call would start if the campaign ran from now on.

        One that has a `startAt` runs from then on. Raise CampaignNotFound.
        """
        shown = self._campaigns.show(campaign_id)
        own, assumed = self._reader.beside(campaign_id, lasts_ms)
        assumed = replace(assumed, end_ms=shown.campaign.end_ms)
        calls = self._calls(shown) if shown.state in NOT_ENDED else []
        listed = self._numbers.listed([call.waiting.number for call in calls])
        for call in calls:
            if call.waiting.number in listed:
                call.why = Never.DO_NOT_CALL
        DryRun([call for call in calls if not call.why], own, assumed).run()
        return Plan(from_ms=assumed.now_ms, lasts_ms=lasts_ms, calls=calls)

    def _calls(self, shown: CampaignView) -> list[Planned]:
        rules, campaign = self._rules, shown.campaign
        is_begun = shown.state is CampaignState.RUNNING
        found = self._reader.waiting(
            shown.id, not_before_ms=0 if is_begun else campaign.start_ms or 0
        )
        calendar_of = rules.calendars(campaign.hours)
        if calendar_of is None:
            return [Planned(waiting=each) for each in found]
        calls = [(each, calendar_of(Call.from_data(json.loads(each.text)))) for each in found]
        # Reading what happened to people takes Redis longer than all else does; few have caps.
        past = rules.histories([each.number for each, calendar in calls if calendar.has_caps])
        return [
            Planned(waiting=each, rules=calendar, past=past.get(each.number, NO_HISTORY))
            for each, calendar in calls
        ]
