"""All that knows Celery and kombu: the transport for calls, the app, the consumer, the pool."""
