"""One endpoint, as a file of `data/endpoints/` describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from vomind_queue.api.schemas.fields import Shape


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """A request and its answer; a test sends the one and compares the other.

    Values that vary (ids of requests, SIDs, times) are as they once were.
    """

    #: Unique within its endpoint.
    name: str
    #: A few words above it.
    summary: str
    status: int = HTTPStatus.OK
    #: JSON as Python's plain values, or a text of another media type.
    answer: Any = None
    #: The request's body: JSON as Python's plain values.
    body: Any = None
    #: A body that is a form, in place of JSON.
    form: Mapping[str, str] | None = None
    #: Values of parameters, by name.
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str | int] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One method of one path; schemas go by their names among the components."""

    #: Unique; generated clients name their functions after it.
    id: str
    method: str
    path: str
    tag: str
    #: One line, for lists.
    summary: str
    #: What a reader needs to know, in Markdown.
    text: str
    #: Status of a success; ``None``: there is none.
    success: int | None = HTTPStatus.OK
    #: Schema of a success in JSON, or its shape.
    answer: str | Shape | None = None
    #: Schema of a 202: what was asked for is still being done.
    later: str | None = None
    #: Examples of a success in other media types, by type.
    other: Mapping[str, str] = field(default_factory=dict)
    #: Schema of a body in JSON.
    body: str | None = None
    body_required: bool = False
    #: Schema of a body that is a form.
    form: str | None = None
    #: Whether the body is a file.
    upload: bool = False
    #: Schema of the query.
    query: str | None = None
    #: Whether a parameter of the query without a value counts as absent.
    open_filters: bool = False
    #: Statuses beside those that follow from the rest: 404 where a job may not exist.
    errors: Sequence[int] = ()
    #: Whether an Idempotency-Key counts.
    replayable: bool = False
    #: Whether the service's API keys apply.
    keyed: bool = True
    #: The security scheme in place of a key.
    signed_by: str | None = None
    #: Whether it needs Redis, which may be away.
    stored: bool = True
    #: Ids of endpoints that take the job of the answer.
    leads_to: Sequence[str] = ()
    #: Names of further headers, by status.
    headers: Mapping[int, Sequence[str]] = field(default_factory=dict)
    examples: Sequence[Example] = ()

    @property
    def path_parameters(self) -> list[str]:
        """The names in the braces of the path."""
        return [part.partition("}")[0] for part in self.path.split("{")[1:]]

    def shown(self, status: int) -> list[Example]:
        """The examples with this status."""
        return [example for example in self.examples if example.status == status]

    def statuses(self) -> list[int]:
        """All statuses of answers, success first."""
        wrong = set(self.errors) | {example.status for example in self.examples}
        if self.body or (self.method == "POST" and self.success and self.keyed):
            # A body is read even where no field of it counts: a slip in it must not be lost.
            wrong |= {400, 413, 415, 422}
        if self.keyed:
            wrong |= {401, 429} if self.method == "GET" else {401, 403, 429}
        if self.stored or self.path.startswith("/api/calls"):
            wrong.add(503)
        good = [] if self.success is None else [self.success]
        good += [HTTPStatus.ACCEPTED.value] if self.later else []
        return [*good, *sorted(wrong - {self.success})]
