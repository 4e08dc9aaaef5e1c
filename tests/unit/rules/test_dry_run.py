"""When the calls of a campaign would start."""

from __future__ import annotations

from collections.abc import Sequence

from vomind_queue.calls.limits import Rate
from vomind_queue.rules.caps import History
from vomind_queue.rules.dry_run import Assumed, DryRun, Never, Planned, Rules, Waiting
from vomind_queue.rules.turns import Share

MINUTE = 60_000
HOUR = 60 * MINUTE
#: A window counts so much longer, ms.
GUARD = 51


def planned(
    number: int,
    *,
    to: str = "",
    rank: int = 2,
    due_ms: int = 0,
    latest_ms: int | None = None,
    starts: Sequence[int] = (),
    rules: Rules | None = None,
) -> Planned:
    """A call."""
    to = to or f"+49301{number:06}"
    waiting = Waiting(
        job_id=str(number),
        number=to,
        text="",
        rank=rank,
        place=number,
        due_ms=due_ms,
        latest_ms=latest_ms,
    )
    return Planned(waiting=waiting, rules=rules, past=History(starts=starts))


def times(calls: Sequence[Planned], own: Share | None = None, **assumed: object) -> list[int]:
    """When they start, after a dry run from 0 on."""
    DryRun(calls, own or Share(), Assumed(now_ms=0, **assumed)).run()  # type: ignore[arg-type]
    assert all(call.at_ms is not None for call in calls)
    return [call.at_ms or 0 for call in calls]


class Open:
    """Hours that are open from some time on, and at most so many calls to a person."""

    def __init__(self, from_ms: int | None, most: int = 9) -> None:
        self._from_ms = from_ms
        self._most = most

    def opens_at(self, now_ms: int, past: History) -> tuple[int | None, str]:
        """As `Rules` say."""
        if self._from_ms is None:
            return None, "unknown-zone"
        if len(past.starts) >= self._most:
            return max(now_ms, past.starts[-self._most] + HOUR), "cap"
        return max(now_ms, self._from_ms), "hours"


def test_without_a_limit_all_start_at_once_when_they_are_due() -> None:
    """Whatever others have to do."""
    calls = [planned(1), planned(2, due_ms=HOUR), planned(3)]
    assert times(calls, rivals=[Share(weight=100, waiting={1: 1_000})]) == [0, HOUR, 0]


def test_pace_and_limit_let_as_many_through_as_a_window_may_have() -> None:
    """Starts of before count."""
    pace = Rate(max_starts=2, window_ms=MINUTE)
    later = MINUTE + GUARD
    own = Share(pace=pace, starts=[-10_000])
    assert times([planned(n) for n in range(4)], own) == [
        0,
        later - 10_000,
        later,
        2 * later - 10_000,
    ]
    found = times([planned(n) for n in range(5)], limit=pace)
    assert found == [0, 0, later, later, 2 * later]


def test_campaigns_share_the_limit_by_weight_and_priority_goes_first() -> None:
    """Two of four starts are its, once the more urgent calls are through."""
    limit = Rate(max_starts=1, window_ms=1_000 - GUARD)
    rivals = [
        Share(name=name, waiting={rank: n})
        for name, rank, n in (("", 2, 50), ("8", 2, 50), ("9", 1, 10))
    ]
    found = times([planned(n) for n in range(20)], Share(weight=2), limit=limit, rivals=rivals)
    assert min(found) >= 10_000
    # Four starts a window of four seconds, two of which are its.
    assert abs(found[-1] - 49_000) <= 2_000


def test_a_rival_at_its_pace_leaves_its_turn() -> None:
    """It takes one start a minute, and no more."""
    limit = Rate(max_starts=1, window_ms=1_000 - GUARD)
    slow = Share(pace=Rate(max_starts=1, window_ms=MINUTE), waiting={1: 50, 2: 50})
    found = times([planned(n) for n in range(90)], limit=limit, rivals=[slow])
    assert found[-1] == 91_000


def test_only_so_many_are_placed_at_a_time() -> None:
    """Those that are on the line at the beginning count, and all last as long as is assumed."""
    own = Share(most=2, placed=1)
    assert times([planned(n) for n in range(4)], own, lasts_ms=MINUTE) == [
        0,
        MINUTE,
        MINUTE,
        2 * MINUTE,
    ]


def test_rules_and_a_busy_number_hold_a_call_and_no_other() -> None:
    """The reason stays with it."""
    calls = [
        planned(1, rules=Open(HOUR)),
        planned(2, to="+15550000091"),
        planned(3, to="+15550000091"),
        planned(4, starts=[-5], rules=Open(0, most=1)),
    ]
    found = times(calls, limit=Rate(max_starts=10, window_ms=1_000), lasts_ms=MINUTE)
    assert found == [HOUR, 0, MINUTE, HOUR - 5]
    assert [call.why for call in calls] == ["hours", "", "busy-number", "cap"]


def test_what_does_not_start_says_why() -> None:
    """An end that comes, a latest start that passes, and a person whose place is not known."""
    calls = [
        planned(1, latest_ms=-1),
        planned(2, rules=Open(None)),
        planned(3, due_ms=HOUR),
        planned(4),
    ]
    DryRun(calls, Share(), Assumed(now_ms=0, end_ms=HOUR)).run()
    assert [(call.at_ms, call.why) for call in calls] == [
        (None, Never.EXPIRED),
        (None, "unknown-zone"),
        (None, Never.EXPIRED),
        (0, ""),
    ]


def test_it_does_not_count_for_ever() -> None:
    """Behind many calls of others nothing is said of when a call starts."""
    limit = Rate(max_starts=1_000, window_ms=1_000)
    calls = [planned(1)]
    DryRun(calls, Share(), Assumed(now_ms=0, limit=limit, rivals=[Share(waiting={1: 10**9})])).run()
    assert (calls[0].at_ms, calls[0].why) == (None, Never.TOO_FAR)


def test_a_rival_takes_turns_from_its_beginning_until_its_end() -> None:
    """With what waits then, and what becomes due later."""
    second = Rate(max_starts=1, window_ms=949)
    calls = [planned(n) for n in range(8)]
    rival = Share(
        name="2",
        waiting={2: 2},
        begin_ms=2_000,
        later=[(500, 1), (3_500, 1), (5_500, 1)],
        end_ms=5_000,
    )
    # Its urgent calls at 2 and 4 s, another one at 3 s; then it has ended.
    assert times(calls, Share(name="1"), limit=second, rivals=[rival]) == [
        0, 1_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000,
    ]  # fmt: skip
