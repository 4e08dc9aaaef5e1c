"""Supabase comes and goes, shippers die, Redis restarts: the log is as the API, without a gap."""

from __future__ import annotations

import contextlib
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial

from tests import log_judge
from tests.chaos.arena import Arena, arena
from tests.chaos.gatekeeper import Gatekeeper
from tests.chaos.harm import meanwhile, of_server
from tests.chaos.kills import busy_clients
from tests.chaos.scale import Scale
from tests.chaos.verify import Evidence, fail_on
from tests.stack import ROOT, Process, until
from tests.supabase import SERVICE_KEY, Postgres, Supabase
from vomind_queue.call_log import columns

#: A call that the database refuses.
RUDE = "refuse me"


def call_log(scale: Scale, seed: int) -> tuple[str, str]:
    """Supabase away, slow, hidden behind a page, losing answers; shippers killed under load."""
    calls = scale.pick(40, 400, 4_000)
    unsteady_s = scale.pick(12.0, 60.0, 240.0)
    away_s, kills = scale.pick(4.0, 60.0, 60.0), scale.pick(3, 50, 50)
    with arena(scale, seed) as made, _database(made) as supabase:
        keeper = Gatekeeper(supabase.url, random.Random(made.rng.random()))
        made.start(workers=2, SUPABASE_URL=keeper.url, SUPABASE_SERVICE_KEY=SERVICE_KEY)
        shippers = [made.stack.start("shipper") for _ in range(2)]
        refused = made.client().add(made.numbers(1), message=RUDE)
        load_s = away_s + unsteady_s
        killing = partial(_kill, made, shippers, kills, load_s)
        with meanwhile(lambda _: busy_clients(made, calls, load_s), killing):
            placed = _away(made, keeper, away_s)
            keeper.deed = None
            time.sleep(unsteady_s / 2)
            _restart_redis(made)
            time.sleep(unsteady_s / 2)
        keeper.deed = "pass"
        made.client().resume()
        evidence = made.judge(within_s=180)
        _until_delivered(made)
        _send_dead_letters(made, supabase, refused)
        found = _judge(evidence, supabase)
        events = len(supabase.sql("select sequence from call_events"))
        keeper.close()
    fail_on(found)
    fail_on([] if placed else ["no call was placed while Supabase was away"])
    met = ", ".join(f"{count} {deed}" for deed, count in sorted(keeper.met.items()))
    return f"{calls} calls, {kills} kills of a shipper, away {away_s:g} s; requests: {met}", (
        f"{len(evidence.journal.accepted)} rows as the API shows the calls, {events} events "
        f"without a gap; {placed} calls placed meanwhile; 1 refused line sent again"
    )


@contextlib.contextmanager
def _database(made: Arena) -> Iterator[Supabase]:
    postgres = Postgres()
    directory = made.stack.directory / "supabase"
    directory.mkdir()
    supabase = Supabase(postgres=postgres, database="log", directory=directory)
    try:
        postgres.start()
        postgres.database("log")
        postgres.migrate("log")
        supabase.sql(
            f"alter table call_logs add constraint polite check (message is distinct from '{RUDE}')"
        )
        supabase.start()
        yield supabase
    finally:
        supabase.kill()
        postgres.kill()


def _away(made: Arena, keeper: Gatekeeper, away_s: float) -> int:
    """Calls that were placed while it was away."""
    before = len(made.phone.rings())
    keeper.deed = "away"
    time.sleep(away_s)
    return len(made.phone.rings()) - before


def _restart_redis(made: Arena) -> None:
    victim = of_server(made.server)
    victim.send(signal.SIGKILL)
    victim.revive()


def _kill(
    made: Arena, shippers: list[Process], kills: int, over_s: float, _over: threading.Event
) -> None:
    """Kill one of the shippers at random moments, spread over that time; all live in the end."""
    rng, began = random.Random(made.rng.random()), time.monotonic()
    for moment in sorted(rng.uniform(0, over_s) for _ in range(kills)):
        time.sleep(max(0.0, moment - (time.monotonic() - began)))
        shipper = rng.choice(shippers)
        shipper.kill()
        shipper.start()


def _until_delivered(made: Arena) -> None:
    def delivered() -> bool:
        log = made.api("GET", "/stats")["callLog"]
        return bool(log["pending"] == 0)

    until(delivered, within_s=120, what="the log is up to date")


def _send_dead_letters(made: Arena, supabase: Supabase, refused: list[str]) -> None:
    """The one call that is refused is seen by an operator, and goes once nothing is in its way."""
    rows = supabase.sql(f"select job_id from call_logs where message = '{RUDE}'")
    dead = made.api("GET", "/stats")["callLog"]["deadLetters"]
    fail_on([] if (rows, dead) == ([], 1) else [f"{dead} dead letters, and logged: {rows}"])
    shown = _command(made, "dead-letters")
    if shown.returncode != 1 or f"job {refused[0]}\t" not in shown.stdout or RUDE in shown.stdout:
        fail_on([f"dead-letters ended with {shown.returncode}: {shown.stdout} {shown.stderr}"])
    supabase.sql("alter table call_logs drop constraint polite")
    sent = _command(made, "dead-letters", "--send")
    fail_on([] if sent.returncode == 0 else [f"not sent: {sent.stdout} {sent.stderr}"])


def _command(made: Arena, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vomind_queue", *arguments],
        env=made.stack.environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _judge(evidence: Evidence, supabase: Supabase) -> list[str]:
    rows = [columns.read_row(each) for each in supabase.sql("select * from call_logs")]
    events = [
        columns.read_event(each)
        for each in supabase.sql("select * from call_events order by call_key, sequence")
    ]
    journal = evidence.journal
    state = {row.job_id: row.state for row in rows}
    removed = {job_id: each.was for job_id, each in journal.cancelled.items()}
    # A DELETE without an answer was carried out or not, and the log knows as what.
    for job_id in journal.maybe_cancelled - set(evidence.jobs) - set(removed):
        removed[job_id] = state.get(job_id, "waiting").replace("cancelled", "waiting")
    strangers = set(state) - set(evidence.jobs) - set(removed)
    return [
        *log_judge.faults(evidence.jobs, rows, events, removed),
        *(f"job {job_id} is in the log alone" for job_id in strangers),
    ]
