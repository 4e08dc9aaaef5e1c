"""VoMind Queue: places scheduled outbound phone calls."""

__version__ = "0.9.0"
