"""VoMind Queue: places scheduled outbound phone calls."""
