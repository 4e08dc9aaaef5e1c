"""The REST API: HTTP in and out, and nothing of how calls are kept or placed.

``app`` puts the parts together; ``calls``, ``jobs``, ``queue`` and ``health`` are the
endpoints; ``schemas`` and ``fields`` say what is accepted; ``problems`` is the one
place where errors become answers.
"""
