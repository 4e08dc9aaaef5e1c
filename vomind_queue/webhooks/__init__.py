"""What apps are told of what happens, and how: plain values, no I/O."""
