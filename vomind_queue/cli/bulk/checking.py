"""What the API would refuse of a file, asked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from vomind_queue.cli.bulk.lines import Fault, Sheet
from vomind_queue.cli.bulk.parts import Part
from vomind_queue.cli.client import QUEUE, Api, leaves
from vomind_queue.cli.endings import BadFile
from vomind_queue.cli.patience import Tell, patiently

_PREVIEW = f"{QUEUE}/schedule-bulk-calls/preview"
#: A number that is well formed, for a question about other fields; nothing is stored.
_ANY = "+10000000000"


def check_header(api: Api, left_out: Sequence[str]) -> None:
    """Raises BadFile for a column that is not sent and was probably meant to be.

    A slip such as ``scheduelAt`` would else make an immediate call of a later one.
    """
    if not left_out:
        return
    call = {**dict.fromkeys(left_out, "x"), "to": _ANY}
    found = api.post(_PREVIEW, {"calls": [call]})["errors"].get("0", {})
    hints = [f"column {name!r}: {text}" for name, text in leaves(found)]
    if hints:
        raise BadFile("\n  ".join(hints))


def check_part(api: Api, part: Part, *, away_s: float, tell: Tell) -> Iterator[Fault]:
    """All that is wrong with its lines. Raises ApiFault."""
    ask = partial(api.post, _PREVIEW, {"calls": part.calls})
    # A service that is not there when all begins is not waited for.
    found = patiently(ask, for_s=away_s if part.index else 0, tell=tell)
    for place, errors in found["errors"].items():
        for field, message in leaves(errors):
            yield Fault(line=part.lines[int(place)].number, field=field, message=message)


def in_order(sheet: Sheet, found: Sequence[Fault]) -> list[Fault]:
    """Faults of the file's own and the API's, by line."""
    return sorted([*sheet.faults, *found], key=lambda fault: fault.line)
