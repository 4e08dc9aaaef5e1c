"""Check that settings fit together: each is valid by itself before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vomind_queue.calls.voices import first_voices, fits
from vomind_queue.config import redis_address
from vomind_queue.config.types import NAMELESS
from vomind_queue.config.variable import Variable
from vomind_queue.errors import SettingsError
from vomind_queue.rules.law import Mode


def composed(values: Mapping[str, Any]) -> str:
    """Return the server's address, made of its parts or of the embedded server's port."""
    if not values["redis_host"]:
        return f"redis://127.0.0.1:{values['embedded_redis_port']}/0"
    return redis_address.compose(
        host=values["redis_host"],
        port=values["redis_port"],
        username=values["redis_username"],
        password=values["redis_password"],
        db=values["redis_db"],
        tls=values["redis_tls"],
    )


def check_given(environ: Mapping[str, str], variables: Sequence[Variable]) -> None:
    """Raise SettingsError for variables that exclude each other or lack a counterpart."""
    given = {name for name, text in environ.items() if text.strip()}
    if "TWILIO_PHONE_NUMBERS" in given:
        # Either will do.
        given |= {"TWILIO_PHONE_NUMBER"}
    if {"REDIS_URL", "REDIS_HOST"} <= given:
        raise SettingsError("Invalid REDIS_URL: expected to be unset while REDIS_HOST is set.")
    for variable in variables:
        variable.check_needs(given)


def check_read(values: Mapping[str, Any]) -> None:
    """Raise SettingsError for values that contradict each other."""
    _check_times(values)
    _check_voice(values)
    _check_senders(values)
    _check_rules(values)


def _check_senders(values: Mapping[str, Any]) -> None:
    alone, numbers = values["twilio_phone_number"], values["twilio_phone_numbers"]
    if alone and numbers and numbers[0] != alone:
        raise SettingsError(
            f"Invalid TWILIO_PHONE_NUMBERS ({', '.join(numbers)!r}): expected TWILIO_PHONE_NUMBER "
            f"({alone}) as the first of them, or to be unset."
        )
    for country, number in values["from_by_country"].items():
        if number not in numbers:
            raise SettingsError(
                f"Invalid FROM_BY_COUNTRY ('{country}={number}'): expected one of "
                "TWILIO_PHONE_NUMBERS."
            )


def _check_voice(values: Mapping[str, Any]) -> None:
    language, voice = values["say_language"], values["say_voice"]
    if language and voice and not fits(voice, language):
        some = ", ".join(first_voices(language))
        raise SettingsError(
            f"Invalid SAY_VOICE ({voice!r}): expected a voice for {language}, such as {some}."
        )


def _check_rules(values: Mapping[str, Any]) -> None:
    """Raise SettingsError for a rule that nothing would keep to, or a key that nobody has."""
    known = {key.name for key in values["api_keys"]}
    for name in values["override_keys"]:
        if name not in known:
            raise SettingsError(f"Invalid OVERRIDE_KEYS ({name!r}): expected names of API_KEYS.")
        if name == NAMELESS and None in known:
            raise SettingsError(
                f"Invalid OVERRIDE_KEYS ({name!r}): expected another name, as the keys of API_KEYS "
                "without one are called so."
            )
    if values["calling_rules"] in (Mode.COURTESY, Mode.LAW):
        return
    for name in ("calling_hours", "closed_days"):
        if values[name]:
            raise SettingsError(
                f"Invalid {name.upper()}: expected CALLING_RULES to be courtesy or law beside it."
            )


def _check_times(values: Mapping[str, Any]) -> None:
    horizon_ms, deadline_ms = values["unknown_outcome_horizon_ms"], values["dial_deadline_ms"]
    if horizon_ms < 2 * deadline_ms:
        # A request may be sent until its deadline, so an attempt given up earlier could still ring.
        raise SettingsError(
            f"Invalid UNKNOWN_OUTCOME_HORIZON ({horizon_ms} ms): "
            f"expected at least twice DIAL_DEADLINE ({deadline_ms} ms)."
        )
