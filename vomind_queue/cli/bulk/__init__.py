"""``bulk``: many calls from a file, each accepted once, however often it is begun.

`lines` and `columns` read the file, `checking` asks the API what it would refuse, `journal`
remembers beside the file what was sent, `sending` sends the rest, `command` puts them together.
"""
