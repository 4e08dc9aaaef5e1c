"""Each process by its command: a call rings, and SIGTERM ends it in order."""

from __future__ import annotations

from tests.acceptance.conftest import TO, Api
from tests.stack import Process, Stack, until


def test_the_processes_of_the_stack_have_a_command_each(fast: Stack) -> None:
    """web, worker with an argument for Celery, beat and shipper, each the process itself."""
    processes = {}
    for name, *arguments in (["web"], ["worker", "-n", "typed@%h"], ["beat"], ["shipper"]):
        processes[name] = Process(
            name=name,
            arguments=("-m", "vomind_queue", name, *arguments),
            environment=fast.environment(),
            log=fast.directory / f"typed-{name}.log",
        )
        fast.processes.append(processes[name])
        processes[name].start()
    processes["web"].wait_for("API listens")
    processes["worker"].wait_for("typed@")
    processes["beat"].wait_for("scheduler leads")
    processes["shipper"].wait_for("shipper started")
    api = Api(fast.queue_url)
    until(lambda: _answers(api), within_s=30, what="the API answers")
    api.until_state(api.schedule(TO), "completed")
    assert [ring["to"] for ring in fast.rings()] == [TO]
    assert {name: process.stop() for name, process in processes.items()} == dict.fromkeys(
        processes, 0
    )


def _answers(api: Api) -> bool:
    try:
        return api.ask("GET", "/stats").ok
    except OSError:
        return False
