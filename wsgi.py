"""For a WSGI server of one's own choice: ``wsgi:app``."""

from vomind_queue.processes.application import for_any_server

app = for_any_server()
