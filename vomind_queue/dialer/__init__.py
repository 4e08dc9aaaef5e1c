"""The telephone: asks Twilio to ring, and tells what became of it."""
