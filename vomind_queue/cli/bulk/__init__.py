"""``bulk``: many calls from a file, each accepted once, however often it is begun."""
