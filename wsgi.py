"""For a WSGI server of one's own choice: ``wsgi:app``."""

from vomind_queue.web import application

app = application()
