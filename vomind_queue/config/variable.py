"""An environment variable that becomes a field of `Settings`: its type, default and checks."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vomind_queue.config import types
from vomind_queue.config.types import InvalidValue, Type
from vomind_queue.errors import SettingsError

#: Key of the `Variable` in the metadata of a field.
METADATA = "variable"
#: A login within an address: an error must not show it.
_LOGIN = re.compile(r"[^/@\s]+@")


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """An environment variable, as a field of `Settings` describes it."""

    type: Type[Any]
    #: Used when the variable is unset or empty.
    default: str
    #: By default the field's own name in capital letters.
    name: str = ""
    #: Title of the section that begins here; empty: the section continues.
    section: str = ""
    #: Whether the value must never be shown.
    secret: bool = False
    #: Variables that must be set as well: one of these groups, names separated by spaces.
    needs: Sequence[str] = ()

    def read(self, environ: Mapping[str, str]) -> Any:
        """Return the value in ``environ``. Raise SettingsError with one line for a person."""
        text = environ.get(self.name, "").strip() or self.default
        try:
            return self.type.parse(text)
        except ValueError as error:
            hidden = self.secret or _LOGIN.search(text)
            shown = "value hidden" if hidden else repr(text)
            reason = f"{error}; " if isinstance(error, InvalidValue) else ""
            raise SettingsError(
                f"Invalid {self.name} ({shown}): {reason}expected {self.type.expected}."
            ) from None

    def check_needs(self, given: Collection[str]) -> None:
        """Raise SettingsError if it is among the variables given without one that it needs."""
        if not self.needs or self.name not in given:
            return
        if not any(set(names.split()).issubset(given) for names in self.needs):
            needed = " or ".join(names.replace(" ", " and ") for names in self.needs)
            raise SettingsError(f"Invalid {self.name}: expected {needed} to be set as well.")


def setting(type_: Type[Any], default: str, **more: Any) -> Any:
    """Return the field for a variable with a default; ``more``: further fields of `Variable`."""
    variable = Variable(type=type_, default=default, **more)
    return field(repr=not variable.secret, metadata={METADATA: variable})


def optional_setting(type_: Type[Any], **more: Any) -> Any:
    """Return the field for a variable that is ``None`` when unset."""
    return setting(types.optional(type_), "", **more)
