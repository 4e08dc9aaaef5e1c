"""A plain Python model of the queue, and the steps that are taken in both."""
