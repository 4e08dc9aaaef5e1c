"""What was typed after ``bulk``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from vomind_queue.calls.phone_number import is_country
from vomind_queue.lists.columns import is_field
from vomind_queue.lists.models import Answers
from vomind_queue.lists.names import FIELDS


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What was typed."""

    file: Path
    form: str | None
    #: Id of the campaign that gets the calls.
    campaign: str | None
    country: str | None
    columns: Sequence[str]
    rest_to_metadata: bool
    message: str | None
    given: Sequence[str]
    check: bool
    yes: bool
    unknown: str | None
    report: Path | None
    refused: Path | None

    @property
    def answers(self) -> Answers:
        """What was said of the file. Raise UsageError."""
        country = self.country.upper() if self.country else None
        if country and not is_country(country):
            raise click.UsageError(
                f"--country {self.country}: write two letters, such as DE or US."
            )
        return Answers(
            country=country,
            columns=_chosen(self.columns),
            message=self.message,
            rest_to_metadata=self.rest_to_metadata,
            given=dict(_pair("--answer", text, "QUESTION=CHOICE") for text in self.given),
        )


def _chosen(columns: Iterable[str]) -> dict[str, str]:
    """Return fields by header."""
    found = {}
    for text in columns:
        field, header = _pair("--column", text, "FIELD=HEADER")
        if not is_field(field):
            raise click.UsageError(
                f"--column {text}: write FIELD=HEADER, the field one of {', '.join(FIELDS)}."
            )
        found[header] = field
    return found


def _pair(option: str, text: str, form: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"{option} {text}: write {form}.")
    return name, value
