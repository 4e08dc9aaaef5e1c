"""What the schemas of answers are made of.

They describe answers and check none; the tests hold each example against them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from marshmallow import EXCLUDE, Schema, fields
from marshmallow.validate import Equal, Range

#: A JSON Schema, in the dialect of OpenAPI 3.1.
Shape = dict[str, Any]

#: Metadata of a field that an answer may lack.
OPTIONAL = {"optional": True}


class AnswerSchema(Schema):
    """Part of an answer: names in camel case, and each field present unless `OPTIONAL`."""

    class Meta:
        unknown = EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Name a field as JSON does; marshmallow calls this for each."""
        first, *others = field_name.split("_")
        field_obj.data_key = field_obj.data_key or first + "".join(map(str.title, others))
        field_obj.required = not field_obj.metadata.get("optional")


class Shaped(fields.Raw):
    """A field whose shape marshmallow has no class for."""

    def __init__(self, shape: Shape, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._shape = shape

    def shape(self) -> Shape:
        """Return the field as a JSON Schema."""
        return self._shape


class Count(fields.Integer):
    """An integer of 0 or more."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=Range(0), **kwargs)


class Object(Shaped):
    """Any JSON object."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "object", "additionalProperties": True}, **kwargs)


class Word(fields.Enum[Any]):
    """The value of an enumeration's member."""

    def __init__(self, known: type[StrEnum], **kwargs: Any) -> None:
        super().__init__(known, by_value=fields.String, **kwargs)


class Always(fields.String):
    """One word, the same in each answer."""

    def __init__(self, word: str) -> None:
        super().__init__(validate=Equal(word))


def record(name: str, **members: fields.Field[Any]) -> fields.Nested:
    """Return an object that is described where it occurs; the texts know it by its name."""
    return fields.Nested(AnswerSchema.from_dict(members, name=name))


class Answer(AnswerSchema):
    """A success."""

    success = Shaped({"type": "boolean", "const": True})


class Page(Answer):
    """Part of a list."""

    count = Count()
    total = Count()


class Read(Answer):
    """An answer to a request with a body, unknown fields of which are ignored."""

    ignored = fields.List(fields.String(), metadata=OPTIONAL)


class Done(Answer):
    """An answer that says what was done."""

    message = fields.String()
