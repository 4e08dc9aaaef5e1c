"""What the reference says of one endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from marshmallow import Schema

from vomind_queue.api.reference.shapes import Shape

JSON = "application/json"
PROBLEM = "application/problem+json"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A request and its answer; a test sends the one and compares the other.

    What differs from one time to the next (ids of requests, SIDs, times) is shown as it was
    once.
    """

    #: Unique within its endpoint.
    name: str
    #: A few words above it.
    summary: str
    #: JSON as Python's plain values, or a text of another media type.
    answer: Any
    status: int = HTTPStatus.OK
    #: The request's body: JSON as Python's plain values.
    body: Any = None
    #: Values of parameters, by name.
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | int] = field(default_factory=dict)
    #: A body that is a form, in place of JSON.
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """What an answer may be beside JSON, or in its place."""

    media: str
    shape: Shape
    example: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One method of one path."""

    #: Unique; clients name their functions by it.
    id: str
    method: str
    path: str
    tag: str
    #: One line, for lists.
    summary: str
    #: What there is to know of it, in Markdown.
    text: str
    #: How it is answered when all is well; ``None``: it never is.
    success: int | None = HTTPStatus.OK
    #: Shape of the JSON of that answer; ``None`` where there is none.
    answer: Shape | None = None
    #: The schema that checks the body; ``None`` where nothing in it counts.
    body: Schema | None = None
    #: Name of the body's shape, where it takes more than the schema that checks it.
    body_name: str | None = None
    #: Whether there must be a body.
    body_needed: bool = False
    #: What a body that is a form may hold, and an example of it.
    form: Shape | None = None
    #: The schema that checks the query.
    query: Schema | None = None
    #: Statuses beside those that follow from the rest: 404 where a job may not be there …
    errors: Sequence[int] = ()
    examples: Sequence[Example] = ()
    #: Whether an Idempotency-Key counts.
    replayable: bool = False
    #: Whether a key is wanted, where the service has keys at all.
    keyed: bool = True
    #: Whether Redis is asked, so that it may be away.
    stored: bool = True
    #: What may be asked of the job that it answers with: ids of endpoints.
    leads_to: Sequence[str] = ()
    #: Other headers of the answer by status: names of components.
    headers: Mapping[int, Sequence[str]] = field(default_factory=dict)
    #: Other media types of the answer by status.
    contents: Mapping[int, Content] = field(default_factory=dict)
    #: Whether a parameter of the query without a value counts as absent.
    open_filters: bool = False
    #: Parameters of the query that no schema checks.
    parameters: Sequence[Shape] = ()
    #: What shows who asks, where it is not a key: the name of a scheme.
    signed_by: str | None = None

    @property
    def path_parameters(self) -> list[str]:
        """The names in the braces of the path."""
        return [part.partition("}")[0] for part in self.path.split("{")[1:]]

    def shown(self, status: int) -> list[Example]:
        """The examples that are answered so."""
        return [example for example in self.examples if example.status == status]
