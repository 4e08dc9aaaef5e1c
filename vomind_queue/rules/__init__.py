"""When a person may be called, and how often: the rules as data and their judge. No I/O."""
