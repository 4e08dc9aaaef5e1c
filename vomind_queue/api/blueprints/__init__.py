"""The endpoints, a blueprint for each resource."""
