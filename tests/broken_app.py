"""An application that cannot be made."""

import sys


def for_our_server() -> None:
    """Say why."""
    sys.exit("a setting is wrong")
