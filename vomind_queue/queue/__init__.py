"""All that knows Redis keys: records, scripts, and the queue as the API and the workers see it."""
