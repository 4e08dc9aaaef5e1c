"""An application that cannot be made."""

import sys


def app() -> None:
    """Says why."""
    sys.exit("a setting is wrong")
