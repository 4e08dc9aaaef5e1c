"""Lists from the field, at both doors of the service."""
