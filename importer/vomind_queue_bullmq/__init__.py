"""Taking over the calls of a BullMQ queue.

``source`` is all that knows BullMQ's keys; ``jobs`` and ``repeats`` say what a job and a
recurring job there mean here; ``takeover`` moves them, ``account`` tells what became of each.

Two servers have no common transaction. A job is therefore first *held*: one script takes it
out of BullMQ's lists and puts it aside in the source, where no worker of the old service can
find it. Then it is stored here under a separate token, and then it is marked as done in the
source. If anything dies in between, the next run continues with what is held, and a job that is
here already answers with the id that it has.
"""
