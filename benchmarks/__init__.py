"""Benchmarks, which are no part of the tests; README.md has their results."""
