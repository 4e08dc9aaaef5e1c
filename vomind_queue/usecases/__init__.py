"""What the service does, a verb a file; the outside world comes in as protocols."""
