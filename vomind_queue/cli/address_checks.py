"""Checks of the addresses at which Twilio is to reach us, and the operator's applications."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

import requests

from vomind_queue.config.address_types import is_loopback, is_public
from vomind_queue.config.settings import Settings
from vomind_queue.observability.check_result import CheckResult, advice, fine, wrong
from vomind_queue.twilio.account_checks import signature

#: How long an answer may take, s: Twilio waits no longer than 15.
TIMEOUT_S = 10.0
#: Where Twilio asks for TwiML, with a token that no attempt has. The signature is checked all
#: the same, whereas a status callback with an unknown token is not read at all.
_PATH = "/api/twilio/twiml/doctor/doctor"
_REACHED = "Set it to the address at which Twilio reaches the API."


def check_applications(settings: Settings) -> Iterator[CheckResult]:
    """Say where calls have the operator's applications, and whether Twilio reaches those."""
    named = {"TWIML_URL": [host] if (host := _host(settings.twiml_url or "")) else []}
    named["TWIML_HOSTS"] = list(settings.twiml_hosts)
    for name, hosts in named.items():
        if settings.rings_people and (near := [each for each in hosts if not is_public(each)]):
            yield wrong(
                name,
                f"{', '.join(near)}: {_unreachable(near[0])}",
                "Name hosts that Twilio reaches by https.",
            )
        elif hosts and name == "TWIML_HOSTS":
            yield fine(name, f"A twimlUrl may be on {', '.join(hosts)}.")


def check_callbacks(settings: Settings) -> Iterator[CheckResult]:
    """Check PUBLIC_URL with a signed request that names no call, so that nothing happens."""
    url = settings.public_url
    if url is None or settings.twilio_auth_token is None:
        yield advice(
            "PUBLIC_URL",
            "Not set: the status of calls arrives late, by polling Twilio.",
            _REACHED,
        )
        return
    host = _host(url)
    if settings.rings_people and not is_public(host):
        yield wrong("PUBLIC_URL", f"{url}: {_unreachable(host)}", _REACHED)
        return
    address = url + _PATH
    headers = {"X-Twilio-Signature": signature(settings.twilio_auth_token, address)}
    try:
        answer = requests.get(address, headers=headers, timeout=TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        yield wrong(
            "PUBLIC_URL",
            f"{url} cannot be reached from here ({type(error).__name__}).",
            "Point it at the web process, and open the firewall to Twilio.",
        )
        return
    yield _judge(url, answer)
    if urlsplit(url).scheme == "http" and not is_loopback(host):
        yield advice("encryption", f"{url} is not encrypted.", "Put https before the API.")


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _unreachable(host: str) -> str:
    where = "this machine" if is_loopback(host) else "in a private network"
    return f"that is {where}; Twilio can never reach it."


def _judge(url: str, answer: requests.Response) -> CheckResult:
    ours = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    if ours and answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY:
        return fine("PUBLIC_URL", f"{url} reaches the API, which accepts Twilio's signature")
    if ours and answer.status_code == HTTPStatus.FORBIDDEN:
        return wrong(
            "PUBLIC_URL",
            f"{url} reaches the API, which rejects a valid signature.",
            "Give the web process exactly the same PUBLIC_URL and TWILIO_AUTH_TOKEN.",
        )
    return wrong(
        "PUBLIC_URL",
        f"{url} reaches another server ({answer.status_code}).",
        "Point it at the web process, including its path.",
    )
