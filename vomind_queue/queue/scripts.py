"""Runs the Lua scripts by their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import redis

from vomind_queue.queue.lua_sources import OUTBOX_MAX, names, source


class Scripts:
    """All scripts, run by their digests; loaded again when the server forgot them."""

    def __init__(self, client: redis.Redis, outbox_max: int = OUTBOX_MAX) -> None:
        self._client = client
        texts = {name: source(name, outbox_max) for name in names()}
        self._scripts = {name: (_digest(text), text) for name, text in texts.items()}

    def run(self, name: str, key_names: list[str], *args: Any) -> Any:
        """Run one script; raise what redis-py raises."""
        digest, text = self._scripts[name]
        try:
            # `evalsha` itself is two more calls around the same.
            return self._client.execute_command(  # type: ignore[no-untyped-call]
                "EVALSHA", digest, len(key_names), *key_names, *args
            )
        except redis.exceptions.NoScriptError:
            # Nothing was run. EVAL loads it and runs it: it cannot be forgotten in between.
            return self._client.eval(text, len(key_names), *key_names, *args)

    def run_each(
        self, name: str, key_names: list[str], given: Sequence[tuple[Any, ...]]
    ) -> list[Any]:
        """Run one script for each arguments, sent together; raise what redis-py raises."""
        digest, _ = self._scripts[name]
        pipeline: Any = self._client.pipeline(transaction=False)
        for args in given:
            pipeline.execute_command("EVALSHA", digest, len(key_names), *key_names, *args)
        answers = pipeline.execute(raise_on_error=False)
        return [
            # Nothing was run, or it says so again.
            self.run(name, key_names, *args) if isinstance(answer, redis.ResponseError) else answer
            for args, answer in zip(given, answers, strict=True)
        ]


def _digest(text: str) -> str:
    # By which Redis knows a script; nothing is kept secret by it.
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
