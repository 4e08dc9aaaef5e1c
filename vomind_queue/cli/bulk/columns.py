"""Map the columns of a table to the fields of a call by their headers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vomind_queue.calls.call import OPTIONS
from vomind_queue.cli.exit_codes import BadFile
from vomind_queue.cli.options import outcomes

#: The fields of a call in a bulk.
FIELDS = (
    "to", "message", "lead_id", "priority", "metadata", "scheduleAt", "delayMs", *OPTIONS,
)  # fmt: skip
#: Other common names for them.
_ALSO = {
    "phone": "to", "phonenumber": "to", "number": "to", "mobile": "to", "telephone": "to",
    "tel": "to", "text": "message", "lead": "lead_id",
}  # fmt: skip
#: Prefix of a column that holds one key of metadata.
WITHIN = "metadata."


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_KNOWN = {**{_plain(field): field for field in FIELDS}, **_ALSO}


class Columns:
    """The columns of one table."""

    def __init__(
        self, header: Sequence[str], chosen: Mapping[str, str], *, rest_to_metadata: bool
    ) -> None:
        """``chosen`` maps headers to fields, as given with ``--column``.

        Raise BadFile if no column has the number, or two columns map to one field.
        """
        self.header = [name.strip() for name in header]
        self._fields = [_field(name, chosen) for name in self.header]
        if rest_to_metadata:
            self._fields = [
                field or f"{WITHIN}{name}" if name else None
                for name, field in zip(self.header, self._fields, strict=True)
            ]
        self._check(chosen)

    @property
    def left_out(self) -> list[str]:
        """The headers of columns that are not sent."""
        pairs = zip(self.header, self._fields, strict=True)
        return [name for name, field in pairs if field is None and name]

    def call(self, cells: Sequence[str]) -> dict[str, Any]:
        """Return the call in a row; empty cells are absent. Raise ValueError."""
        if any(cell.strip() for cell in cells[len(self._fields) :]):
            raise ValueError(f"it has {len(cells)} cells, but the header has {len(self._fields)}")
        found: dict[str, Any] = {}
        for field, cell in zip(self._fields, cells, strict=False):
            if field is None or not cell.strip():
                continue
            if field.startswith(WITHIN):
                found.setdefault("metadata", {})[field.removeprefix(WITHIN)] = cell
            else:
                value = _READERS.get(field, str)(cell)
                if field == "metadata" and isinstance(value, dict):
                    value = {**found.get(field, {}), **value}
                found[field] = value
        return found

    def _check(self, chosen: Mapping[str, str]) -> None:
        named = [field for field in self._fields if field is not None]
        twice = sorted({field for field in named if named.count(field) > 1})
        if twice:
            raise BadFile(
                f"Two columns map to {twice[0]!r}: choose one with --column {twice[0]}=HEADER."
            )
        missing = set(chosen) - set(self.header)
        if missing:
            raise BadFile(
                f"No such column: {min(missing)!r}; the file has: {', '.join(self.header)}."
            )
        if "to" not in named:
            raise BadFile(
                f"No column has the number: name it 'to', or use --column to=HEADER. "
                f"The file has: {', '.join(self.header)}."
            )


def _field(name: str, chosen: Mapping[str, str]) -> str | None:
    if name in chosen:
        return chosen[name]
    if name.lower().startswith(WITHIN):
        return WITHIN + name[len(WITHIN) :]
    field = _KNOWN.get(_plain(name))
    return None if field in chosen.values() else field


def _metadata(cell: str) -> Any:
    try:
        return json.loads(cell)
    except ValueError as error:
        raise ValueError(f"metadata: it is not valid JSON: {error}") from None


def _whole(cell: str) -> int | str:
    # The API refuses anything else in its own words.
    return int(cell) if re.fullmatch(r"\s*[0-9]{1,15}\s*", cell) else cell


def _flag(cell: str) -> bool | str:
    return {"true": True, "false": False}.get(cell.strip().lower(), cell)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "to": str.strip,
    "priority": lambda cell: cell.strip().lower(),
    "scheduleAt": str.strip,
    "machineDetection": str.strip,
    "language": str.strip,
    "voice": str.strip,
    "twimlUrl": str.strip,
    "notAfter": str.strip,
    "from": str.strip,
    "timezone": str.strip,
    "region": str.strip,
    "purpose": lambda cell: cell.strip().lower(),
    "lead_id": str.strip,
    "metadata": _metadata,
    "delayMs": _whole,
    "ringTimeoutMs": _whole,
    "sendDigits": str.strip,
    "record": _flag,
    "retryOn": outcomes,
}
