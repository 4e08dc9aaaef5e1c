"""macOS's proxies, which urllib asks for there: none."""

from __future__ import annotations


def _get_proxies() -> dict[str, str]:
    return {}


def _get_proxy_settings() -> dict[str, object]:
    return {"exclude_simple": False, "exceptions": ()}
