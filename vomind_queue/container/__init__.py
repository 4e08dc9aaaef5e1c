"""Where services are put together. Nothing here connects."""
