"""Measurements that stay outside the test run; what they printed stands in README.md here."""
