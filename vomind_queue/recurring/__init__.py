"""Recurring calls: cron expressions, time zones, and what is due. No I/O."""
