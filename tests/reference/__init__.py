"""The OpenAPI document against the service that it describes."""
