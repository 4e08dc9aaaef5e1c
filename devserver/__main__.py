"""``python -m devserver``: the whole product on this machine, as ``make run`` starts it."""

from __future__ import annotations

import os
import signal
import sys

from devserver import embedded, parts
from devserver.probes import check_free
from devserver.processes import Stack
from vomind_queue.config.settings import Settings
from vomind_queue.errors import SettingsError

#: How long what was just ended may still hold its ports and files, seconds.
PREVIOUS_S = 2.0


def main() -> None:
    """Run the whole stack on this machine until Ctrl-C."""
    try:
        if not _run(parts.load_settings(os.environ)):
            sys.exit(1)
    except SettingsError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        # Before the stack listens to signals itself.
        sys.exit(128 + signal.SIGINT)


def _run(settings: Settings) -> bool:
    lock = embedded.lock(settings, within_s=PREVIOUS_S) if settings.embedded else None
    check_free(parts.places(settings), within_s=PREVIOUS_S)
    if settings.embedded:
        settings = embedded.guarded(settings)
    environ = parts.environment(settings, os.environ)
    servers = parts.servers(settings, environ, lock)
    stack = Stack(servers, parts.commands(), environ, parts.grace_s(settings))
    return stack.run(parts.ready(settings), parts.announcement(settings))


if __name__ == "__main__":
    main()
