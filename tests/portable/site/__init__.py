"""Goes to the front of the path of each process that a test starts."""
