"""The body with which questions about a list are answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, post_load

from vomind_queue.api.schemas import call_fields, fields
from vomind_queue.api.schemas.calls import RequestSchema
from vomind_queue.api.schemas.campaigns import Country
from vomind_queue.lists.columns import is_field


class Texts(fields.Rule[dict[str, str]]):
    """Texts by name."""

    shape: Mapping[str, Any] = {"type": "object", "additionalProperties": {"type": "string"}}

    def read(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise fields.mismatch("an object whose values are texts", value)
        return value


class Fields(Texts):
    """What columns are taken for, by place or header; an empty text: not used."""

    def read(self, value: Any) -> dict[str, str]:
        found = super().read(value)
        wrong = next((each for each in found.values() if not is_field(each)), None)
        if wrong is not None:
            raise fields.mismatch("fields of a call, by place or header", wrong)
        return found


class ListChangeSchema(RequestSchema):
    """What a person says of a list; the rest stays as it is."""

    answers = Texts()
    columns = Fields()
    country = Country(allow_none=True)
    message = call_fields.Message(allow_none=True)
    rest_to_metadata = fields.YesOrNo(data_key="restToMetadata")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return it by the names of `Answers`."""
        if "answers" in data:
            data["given"] = data.pop("answers")
            country = data["given"].get("country")
            return data if country is None else {"country": country, **data}
        return data


class ListFileSchema(Schema):
    """What is said of a file as it is uploaded."""

    class Meta:
        unknown = EXCLUDE

    filename = fields.ShortText()


LIST_CHANGE = ListChangeSchema()
LIST_FILE = ListFileSchema()
