"""The modules of ours on a call's way, found by running it: ``python -m tests.ways``."""
