"""Keys as versions before 0.9.0 named them; `includes/old_keys.lua` moves what they hold."""

from __future__ import annotations

from collections.abc import Mapping

#: By the key's name in Lua: its name after the common prefix.
OLD_NAMES: Mapping[str, str] = {
    "old_reconciling": "settling",
    "old_status_polls": "following",
    "old_orphans": "strays",
    "old_notify": "wake",
    "old_outbox_leader": "outbox:lead",
}
