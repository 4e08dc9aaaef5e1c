"""A call: what it is, and what is decided about it. No I/O."""
