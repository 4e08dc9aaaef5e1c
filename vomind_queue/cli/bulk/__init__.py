"""``bulk``: many calls from a file, each accepted once, however often the command is run."""
