"""What `celery -A celery_app …` finds."""

from vomind_queue.processes.worker import create_app

app = create_app()
