"""The whole product on one machine: its processes under honcho, two servers beneath them.

A separate program beside the service, which does not know it.
"""
