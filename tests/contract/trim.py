"""Cuts Twilio's OpenAPI document down to calls, account and numbers, and mends it for a proxy.

Twilio publishes the document in its npm package ``@twilio/cli-core``, as
``src/services/twilio-api/twilio_api_v2010.json``. To renew ours::

    npm pack @twilio/cli-core && tar xzf twilio-cli-core-*.tgz
    python tests/contract/trim.py package/src/services/twilio-api/twilio_api_v2010.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_ROOM = Path(__file__).parent / "twilio"
#: What is left of it: what a worker asks …
TRIMMED = _ROOM / "calls.json"
#: … and what somebody asks who looks after the service.
ACCOUNT = _ROOM / "account.json"

_ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
_PATHS = (
    f"{_ACCOUNT}/Calls.json",
    f"{_ACCOUNT}/Calls/{{Sid}}.json",
    f"{_ACCOUNT}/Calls/{{CallSid}}/Events.json",
)
_ABOUT_ACCOUNT = (
    "/2010-04-01/Accounts/{Sid}.json",
    f"{_ACCOUNT}/IncomingPhoneNumbers.json",
    f"{_ACCOUNT}/OutgoingCallerIds.json",
)


def trim(document: dict[str, Any], paths: Sequence[str]) -> dict[str, Any]:
    """The document with some paths and the schemas that they need."""
    kept = {key: document[key] for key in ("openapi", "info", "servers", "security")}
    kept["paths"] = {path: _without_examples(document["paths"][path]) for path in paths}
    schemas, wanted = document["components"]["schemas"], {}
    missing = set(_references(kept))
    while missing:
        wanted |= {name: schemas[name] for name in missing}
        missing = set(_references(wanted)) - set(wanted)
    kept["components"] = {
        "schemas": dict(sorted(wanted.items())),
        "securitySchemes": document["components"]["securitySchemes"],
    }
    _mend(kept, paths)
    return kept


def _without_examples(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_examples(v) for k, v in value.items() if k != "examples"}
    return [_without_examples(part) for part in value] if isinstance(value, list) else value


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(reference := value.get("$ref"), str):
            yield reference.removeprefix("#/components/schemas/")
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _references(part)


def _mend(document: dict[str, Any], paths: Sequence[str]) -> None:
    """Two places where the document does not say what Twilio does."""
    if _PATHS[0] in paths:
        create = document["paths"][_PATHS[0]]["post"]
        form = create["requestBody"]["content"]["application/x-www-form-urlencoded"]
        # Each event is a separate parameter, as the text beside it says.
        form["encoding"] = {"StatusCallbackEvent": {"style": "form", "explode": True}}
    for path in paths:
        operation = document["paths"][path]["get"]
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        for name, described in schema.get("properties", {}).items():
            # Twilio's addresses of pages have no host, so they are references.
            if name.endswith("uri") and described.get("format") == "uri":
                described["format"] = "uri-reference"


if __name__ == "__main__":
    whole = json.loads(Path(sys.argv[1]).read_text())
    for place, paths in ((TRIMMED, _PATHS), (ACCOUNT, _ABOUT_ACCOUNT)):
        place.write_text(json.dumps(trim(whole, paths), indent=1) + "\n")
