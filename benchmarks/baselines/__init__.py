"""What a Python user would take otherwise, Celery as it comes and RQ, with the same task."""
