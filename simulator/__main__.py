"""``python -m simulator``: a Twilio that rings nobody, on loopback."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from simulator.accounts import Accounts
from simulator.simulator import create_simulator
from vomind_queue.config.settings import SIMULATOR_PORT


def main(argv: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; 0 then, 1 when a port is in use."""
    args = _parser().parse_args(argv)
    # Blocked, so that a signal that comes early is not lost: sigwait takes it.
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    try:
        simulator = create_simulator(
            host=args.host,
            port=args.port,
            control_port=args.control_port,
            accounts=Accounts(tokens=dict(args.account), keys=dict(args.key)),
        )
    except OSError as error:
        sys.stderr.write(f"The simulator cannot listen: {error.strerror} ({args.port}).\n")
        return 1
    # One line for the program that started this one: the address.
    sys.stdout.write(f"simulator {simulator.url} control {simulator.control_url}\n")
    sys.stdout.flush()
    signal.sigwait(stops)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
    parser.add_argument(
        "--port",
        type=int,
        default=SIMULATOR_PORT.read(os.environ),
        help="default: SIMULATOR_PORT, or 3001; 0: a free one",
    )
    parser.add_argument(
        "--control-port",
        type=int,
        help="a second port for /simulator/ that answers while the first refuses; 0: a free one",
    )
    parser.add_argument(
        "--account",
        type=_account,
        action="append",
        default=[],
        metavar="SID:TOKEN",
        help="an account that exists, repeatable; without any, all credentials are good",
    )
    parser.add_argument(
        "--key",
        type=_key,
        action="append",
        default=[],
        metavar="KEY:SECRET:ACCOUNT",
        help="an API key of an account, repeatable",
    )
    return parser


def _account(given: str) -> tuple[str, str]:
    sid, _, token = given.partition(":")
    return sid, token


def _key(given: str) -> tuple[str, tuple[str, str]]:
    key, secret, account = given.split(":", 2)
    return key, (secret, account)


if __name__ == "__main__":
    sys.exit(main())
