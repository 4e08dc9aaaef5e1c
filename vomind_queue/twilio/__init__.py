"""Everything that knows Twilio: placing calls, and finding out what became of them."""
