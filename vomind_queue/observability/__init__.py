"""The state of the service: logs, traces, metrics, the overview and explanations."""
