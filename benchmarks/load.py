"""Load on an API that runs already: ``python -m benchmarks.load http://127.0.0.1:3000 post``.

Prints one JSON object. Only for a queue that may be filled and emptied: `dispatch` and `lateness`
want workers without a limit, and a dialer that rings nobody.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks import wrk
from benchmarks.bench import Figures, quantiles
from benchmarks.cases.dispatch import rate
from benchmarks.cases.lateness import late
from benchmarks.client import BULK, Client, fill, make_call

#: For what was just stored to settle, s.
REST_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Running:
    """What was started by somebody else, as the measurements want it."""

    client: Client
    #: Its processes are unknown, so no CPU time is reported.
    pids: Mapping[str, int] = field(default_factory=dict)

    def rest(self) -> None:
        """Wait a little."""
        time.sleep(REST_S)


def main() -> None:
    """Read the command line and measure once."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("what", choices=["post", "bulk", "fill", "stats", "dispatch", "lateness"])
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--calls", type=int, default=1_000, help="of all but post")
    args = parser.parse_args()
    sys.stdout.write(json.dumps(_measure(args)) + "\n")


def _measure(args: argparse.Namespace) -> Figures:
    client, what = Client(args.url), args.what
    if what == "post":
        wrk.check()
        return wrk.post(args.url, connections=args.connections, seconds=args.seconds)
    if what == "bulk":
        return _bulk(client, max(1, args.calls // BULK))
    if what == "fill":
        began = time.perf_counter()
        fill(client, args.calls)
        return {"calls": args.calls, "seconds": round(time.perf_counter() - began, 2)}
    if what == "stats":
        request = client.encode("GET", "/stats")
        return quantiles([client.timed_ms(request) for _ in range(args.calls)])
    if what == "dispatch":
        return rate(Running(client=client), args.calls, args.seconds)
    return late(client, args.calls, args.seconds)


def _bulk(client: Client, requests: int) -> Figures:
    calls = [make_call(n) for n in range(BULK)]
    request = client.encode("POST", "/schedule-bulk-calls", {"calls": calls})
    took = [client.timed_ms(request) for _ in range(requests)]
    return {"per_s": round(BULK / statistics.median(took) * 1000), "max_ms": round(max(took), 1)}


if __name__ == "__main__":
    main()
