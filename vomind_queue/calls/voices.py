"""In which language and by which of Twilio's voices words are spoken: decided from Twilio's list.

Twilio reads everything as US English unless it is told otherwise, and says nothing at all where
language and voice do not fit. The list is in `voices.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

import yaml

#: Voices that speak any language.
_MULTILINGUAL = "multilingual"
#: BCP 47 tags for languages that Twilio knows by another one.
_ALSO = {
    "ar": "arb",
    "zh": "cmn-CN",
    "zh-CN": "cmn-CN",
    "zh-TW": "cmn-TW",
    "zh-HK": "yue-HK",
    "no": "nb-NO",
}
#: Longer is no name, characters.
_LONGEST = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """How words are spoken; what is ``None`` is left to Twilio."""

    #: A BCP 47 tag as Twilio writes it.
    language: str | None = None
    #: ``Polly.Vicki``, for example.
    name: str | None = None


def resolve(language: str | None, name: str | None, default: Voice | None = None) -> Voice:
    """Return a voice with its language, where only one of them is given.

    A language alone is spoken by the ``default`` voice if that speaks it, else by its first one.
    """
    tag = _code(language) if language else None
    if tag and not name:
        if default and default.name and _fits(default.name, tag):
            return Voice(language=tag, name=default.name)
        return Voice(language=tag, name=next(iter(_voices().get(tag, ())), None))
    if name and not tag:
        spoken = _languages_of().get(name, ())
        tag = spoken[0] if spoken else (default.language if default else None)
    return Voice(language=tag, name=name)


def languages() -> Sequence[str]:
    """Return every language that a call may name."""
    return sorted(_tags())


def names() -> Sequence[str]:
    """Return every voice."""
    return sorted(_languages_of())


def is_language(tag: str) -> bool:
    """Return whether Twilio has the language in its list."""
    return tag in _tags()


def is_voice(name: str) -> bool:
    """Return whether Twilio has the voice in its list."""
    return name in _languages_of()


def fits(name: str, tag: str) -> bool:
    """Return whether a voice speaks a language, as far as the list tells."""
    return not is_voice(name) or not is_language(tag) or _fits(name, _code(tag))


def first_voices(tag: str) -> Sequence[str]:
    """Return up to three voices of a language."""
    return _voices().get(_code(tag), ())[:3]


def near_language(tag: str) -> list[str]:
    """Return the languages that were probably meant; three at most."""
    plain = {each.lower(): each for each in languages()}
    wanted = tag[:_LONGEST].lower().replace("_", "-")
    if wanted in plain:
        return [plain[wanted]]
    primary = wanted.split("-")[0]
    found = [plain[primary]] if primary in plain else []
    found += [each for key, each in plain.items() if key.split("-")[0] == primary]
    return list(dict.fromkeys(found))[:3]


def near_voice(name: str) -> list[str]:
    """Return the voices that were probably meant; three at most."""
    plain = {each.lower(): each for each in names()}
    # The name without its maker: vicki, Joanna-Neural.
    plain |= {key.partition(".")[2]: each for key, each in plain.items() if "." in key}
    found = get_close_matches(name[:_LONGEST].lower(), plain, n=3, cutoff=0.75)
    return list(dict.fromkeys(plain[key] for key in found))


def _fits(name: str, code: str) -> bool:
    spoken = _languages_of().get(name)
    return spoken is not None and (not spoken or code in spoken)


def _code(tag: str) -> str:
    """Return a language as Twilio writes it."""
    return _tags().get(tag, tag)


@cache
def _tags() -> Mapping[str, str]:
    """Return Twilio's languages by all that they may be called."""
    codes = [code for code in _voices() if code != _MULTILINGUAL]
    # The first of each stands for the language without a region.
    bare = {code.split("-")[0]: code for code in reversed(codes)}
    return {**bare, **{code: code for code in codes}, **_ALSO}


@cache
def _languages_of() -> Mapping[str, Sequence[str]]:
    """Return voices with the languages that they speak; none for one that speaks any."""
    found: dict[str, list[str]] = {}
    for code, names in _voices().items():
        for name in names:
            found.setdefault(name, []).extend([] if code == _MULTILINGUAL else [code])
    return found


@cache
def _voices() -> Mapping[str, Sequence[str]]:
    text = (files("vomind_queue.calls") / "voices.yaml").read_text("utf-8")
    return {code: names.split() for code, names in yaml.safe_load(text).items()}
