"""The command line: ``vomind-queue``, or ``python -m vomind_queue``.

One module a command, named in `commands` and imported only when it is asked for, so
that a command which talks to the API over HTTP does not wait for Celery and Redis
to be imported. ``main`` is the entry point, ``lazy`` how a group finds its commands.
"""
