"""Names by which Celery knows our task and our queues."""

from __future__ import annotations

from vomind_queue.calls.call import Priority

#: The one task: places a call, given its job id.
PLACE_CALL = "vomind_queue.place_call"
#: Queue of ordinary Celery tasks; never holds calls.
DEFAULT_QUEUE = "celery"
#: The queue of each priority, the most urgent first.
CALL_QUEUES: dict[str, Priority] = {f"calls.{priority}": priority for priority in Priority}
#: The same by a priority's rank.
QUEUE_OF_RANK: dict[int, str] = {priority.rank: name for name, priority in CALL_QUEUES.items()}
#: Transport option that carries the `WorkerContext`.
CONTEXT_OPTION = "calls"
