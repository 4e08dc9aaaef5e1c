"""Have the API check the calls of a file; nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from vomind_queue.cli.bulk.lines import Line, Part, parts
from vomind_queue.cli.bulk.showing import bar
from vomind_queue.cli.client import QUEUE, Api, patiently
from vomind_queue.cli.output import Out
from vomind_queue.errors import leaves
from vomind_queue.lists.models import Row
from vomind_queue.lists.preview import Judged, Wait

PREVIEW = f"{QUEUE}/schedule-bulk-calls/preview"
#: A well-formed number, used to check the other fields.
_ANY = "+10000000000"
#: Headers in one request: the API compares no more names.
_HEADERS = 100


@dataclass(frozen=True, kw_only=True)
class Checker:
    """Asks one service."""

    api: Api
    out: Out
    #: Calls in one request.
    size: int
    #: How long the service may be away, s.
    patience_s: float

    def hints(self, headers: Sequence[str]) -> Mapping[str, str]:
        """Return what columns were probably meant for that are not used.

        Otherwise a slip such as ``delay`` would turn a later call into an immediate one.
        """
        found: dict[str, str] = {}
        for start in range(0, len(headers), _HEADERS):
            some = headers[start : start + _HEADERS]
            call = {**dict.fromkeys(some, "x"), "to": _ANY, "message": "x"}
            errors = self.api.post(PREVIEW, {"calls": [call]})["errors"].get("0", {})
            found |= {name: text for name, text in leaves(errors) if name in some}
        return found

    def judge(self, rows: Sequence[Row], passed_over: frozenset[int]) -> Judged:
        """Return what the service says of the rows' calls, but for some. Raise ApiFault."""
        lines = [
            Line(number=index, call=row.call, row="")
            for index, row in enumerate(rows)
            if row.call is not None and index not in passed_over
        ]
        whole = parts(lines, self.size)
        errors: dict[int, Sequence[tuple[str, str]]] = {}
        blocked: dict[int, str] = {}
        held: dict[int, Wait] = {}
        with bar(self.out, "Checking", whole) as shown:
            for part in whole:
                answer = self._ask(part)
                at = partial(_index, part)
                errors |= {
                    at(place): list(leaves(each)) for place, each in answer["errors"].items()
                }
                blocked |= {at(place): why for place, why in answer.get("blocked", {}).items()}
                held |= {
                    at(place): Wait(until=each["until"], why=each["why"])
                    for place, each in answer.get("held", {}).items()
                }
                shown.update(len(part.lines))
        return Judged(errors=errors, blocked=blocked, held=held)

    def _ask(self, part: Part) -> dict[str, Any]:
        # A service that is unreachable at the start is not waited for.
        ask = partial(self.api.post, PREVIEW, {"calls": part.calls})
        return patiently(ask, for_s=self.patience_s if part.index else 0, tell=self.out.waiting)


def _index(part: Part, place: str) -> int:
    return part.lines[int(place)].number
