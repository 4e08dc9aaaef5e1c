"""Whether Twilio's requests would arrive: PUBLIC_URL, asked as Twilio asks it."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

import requests

from vomind_queue.config.settings import Settings
from vomind_queue.config.types import is_loopback
from vomind_queue.dialer.examination import signature
from vomind_queue.findings import Finding, advice, fine, wrong

#: How long an answer may take, s: Twilio waits no longer than 15.
TIMEOUT_S = 10.0
#: Where Twilio asks what to say, with a token that no attempt has. Its signature is checked all
#: the same; of a status callback nothing is read before the token was found.
_PATH = "/api/twilio/twiml/doctor/doctor"


def examine(settings: Settings) -> Iterator[Finding]:
    """Send a signed request that names no call: it is taken for Twilio's, and then refused."""
    url = settings.public_url
    if url is None or settings.twilio_auth_token is None:
        yield advice(
            "PUBLIC_URL",
            "It is not set: how a call goes is learned late, by asking Twilio.",
            "Set it to the address at which Twilio reaches the API.",
        )
        return
    address = url + _PATH
    headers = {"X-Twilio-Signature": signature(settings.twilio_auth_token, address)}
    try:
        answer = requests.get(address, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        yield wrong(
            "PUBLIC_URL",
            f"{url} cannot be reached from here ({type(error).__name__}).",
            "Let it lead to the web process; open the firewall for Twilio.",
        )
        return
    yield _judge(url, answer)
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield advice("encryption", f"{url} is not encrypted.", "Put https before the API.")


def _judge(url: str, answer: requests.Response) -> Finding:
    ours = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    if ours and answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        return fine("PUBLIC_URL", f"{url} leads here, and Twilio's signature counts there")
    if ours and answer.status_code == HTTPStatus.FORBIDDEN:
        return wrong(
            "PUBLIC_URL",
            f"{url} leads to the API, which takes a good signature for a bad one.",
            "Give web the same PUBLIC_URL and TWILIO_AUTH_TOKEN, to the letter.",
        )
    return wrong(
        "PUBLIC_URL",
        f"{url} is answered by something else ({answer.status_code}).",
        "Let it lead to the web process, its path included.",
    )
