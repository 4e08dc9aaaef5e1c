"""The reference's texts and examples, read from the YAML files in `data/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import yaml

from vomind_queue.api.openapi.operation import Example, Operation

try:
    # Ten times faster; a PyYAML that was built without libyaml lacks it.
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader

_DATA = files("vomind_queue.api.openapi") / "data"
#: As the service once answered.
_REQUEST_ID = "78c7586c74949a7f35cbc4fe1fbab927"


class ReferenceFault(Exception):
    """A file in `data/` lacks something, or says something that nobody understands."""


@cache
def data(name: str) -> Mapping[str, Any]:
    """What a file in `data/` holds: `document`, `fields` or `answers`."""
    found: Mapping[str, Any] = _read(_DATA / f"{name}.yaml")
    return found


@cache
def operations() -> tuple[Operation, ...]:
    """All endpoints: `data/endpoints/`. Raise ReferenceFault."""
    found = sorted((_DATA / "endpoints").iterdir(), key=lambda file: file.name)
    return tuple(
        read_operation(file.name, name, entry)
        for file in found
        for name, entry in _read(file).items()
    )


def read_operation(file: str, name: str, entry: dict[str, Any]) -> Operation:
    """Read one endpoint. Raise ReferenceFault."""
    try:
        examples = [_example(each, dict(one)) for each, one in entry.pop("examples", {}).items()]
        return Operation(id=name, examples=examples, **entry)
    except TypeError as error:
        raise ReferenceFault(f"data/endpoints/{file}: {name}: {error}") from error


def meaning(schemas: Sequence[str], name: str) -> str:
    """Return the text of a field: that of the first schema that has one, or of its name.

    ``schemas`` are the field's own one and those that it extends. Raise ReferenceFault.
    """
    texts: Mapping[str, str] = data("fields")
    for each in (*(f"{schema}.{name}" for schema in schemas), name):
        if each in texts:
            return texts[each]
    raise ReferenceFault(f"data/fields.yaml says nothing about {name} of {schemas[0]}")


def problem(status: int, detail: str, errors: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a refusal as the service words it."""
    said = {"success": False, "error": detail, "type": "about:blank", "detail": detail}
    document = {**said, "title": HTTPStatus(status).phrase, "status": status}
    return {**document, **({"errors": errors} if errors else {}), "requestId": _REQUEST_ID}


def _read(file: Traversable) -> Any:
    return yaml.load(file.read_text("utf-8"), Loader=SafeLoader)


def _example(name: str, entry: dict[str, Any]) -> Example:
    """Read one example; `problem` and `invalid` are short for a whole refusal."""
    status = int(entry.get("status", HTTPStatus.OK))
    if "problem" in entry:
        entry["answer"] = problem(status, entry.pop("problem"), entry.pop("errors", None))
    if "invalid" in entry:
        ((field, message),) = entry.pop("invalid").items()
        entry["answer"] = problem(status, f"{field}: {message}", {field: [message]})
    return Example(name=name, **entry)
