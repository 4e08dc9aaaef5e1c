"""Rules of when people are called."""
