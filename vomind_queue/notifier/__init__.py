"""All that delivers events: to webhooks, and to readers of the live stream."""
