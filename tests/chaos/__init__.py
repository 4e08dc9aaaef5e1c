"""Experiments that do harm to real processes and judge what is left of the promises.

The judge is the simulator's list of rings and the API's own answers, never a log line.
Run them with ``python -m tests.chaos``; a seed prints, and ``--seed`` replays it.
"""
