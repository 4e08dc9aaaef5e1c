"""How the service is doing: logs, traces, metrics, and what people are told."""
