"""The command line: ``vomind-queue``, or ``python -m vomind_queue``.

`commands` names the commands, each imported only when it is asked for: one that talks to the API
over HTTP does not wait for Celery and Redis to be imported. ``main`` is the entry point.
"""
