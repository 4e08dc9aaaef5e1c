"""Which process sends what to Redis, and how many connections it keeps there."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import psutil

from tests.servers import Server
from tests.stack import Process

#: Ends the listening.
_OVER = "the listening is over"


@dataclass(slots=True)
class Traffic:
    """What was sent while it was listened to."""

    #: Commands by process and name; those of scripts are not among them.
    commands: dict[str, Counter[str]] = field(default_factory=dict)

    def total(self) -> int:
        """Of all processes."""
        return sum(sum(counts.values()) for counts in self.commands.values())


@contextmanager
def listened(server: Server, processes: Mapping[str, Process]) -> Iterator[Traffic]:
    """What the processes send meanwhile; complete at the end."""
    traffic = Traffic()
    started = threading.Event()
    thread = threading.Thread(target=_listen, args=(server, processes, traffic, started))
    thread.start()
    assert started.wait(10)
    try:
        yield traffic
    finally:
        with server.client() as client:
            client.echo(_OVER)
        thread.join(10)


def _listen(
    server: Server, processes: Mapping[str, Process], traffic: Traffic, started: threading.Event
) -> None:
    owners: dict[int, str] = {}
    with server.client() as client, client.monitor() as monitor:
        started.set()
        for heard in monitor.listen():
            if _OVER in heard["command"]:
                return
            if heard["client_type"] == "lua":
                continue
            port = int(heard["client_port"])
            if port not in owners:
                owners.update(_ports(processes))
            name = owners.get(port)
            if name is not None:
                counts = traffic.commands.setdefault(name, Counter())
                counts[heard["command"].split()[0]] += 1


def connections(server: Server, processes: Mapping[str, Process]) -> Counter[str]:
    """Return how many connections each process has to the server."""
    owners = _ports(processes)
    with server.client() as client:
        ports = [int(each["addr"].rpartition(":")[2]) for each in client.client_list()]
    return Counter(owners[port] for port in ports if port in owners)


def _ports(processes: Mapping[str, Process]) -> dict[int, str]:
    """Local ports of the processes and of what they started."""
    found: dict[int, str] = {}
    for name, process in processes.items():
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(process.pid)
            for each in (parent, *parent.children(recursive=True)):
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    ports = (one.laddr.port for one in each.net_connections("tcp") if one.laddr)
                    found |= dict.fromkeys(ports, name)
    return found
