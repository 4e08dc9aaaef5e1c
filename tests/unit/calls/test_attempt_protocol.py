"""The attempt protocol as a small model, all of whose states are visited.

One call, two workers, a reconciler and Twilio. Workers die, freeze and wake at any
point; leases run out at any point; requests get lost, answers get lost. The
steps stand for this code:

============  ======================================================================
``take``      `queue/lua/claim.lua`, with `broker/fetcher.py`
``begin``     `queue/lua/start_dialing.lua`: the lease is checked, then the mark is written
``send``      `twilio/connection.py`: the request leaves before its deadline, or never
``finish``    `queue/lua/finish.lua`: fenced by the attempt's token
``expire``    `take_back` in `queue/lua/claim.lua`
``reconcile`` `reconciliation.py`: found in Twilio's list, or absent from it at the horizon
``callback``  Twilio tells of a ring, with the attempt's token, once or never, at any
              time: ``finish`` again, fenced by the same token, from `status_callbacks.py`
============  ======================================================================

What the model takes for granted, and the settings see to: at the horizon the
deadline of the attempt has passed, nothing of it is under way any more, and
Twilio's list shows all that rang.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pytest

#: Attempts, and deaths of workers, beyond which nothing new happens.
MOST_ATTEMPTS = 3
MOST_DEATHS = 1
#: Where a call stays for good.
ENDS = ("completed", "failed", "forgotten", "lost")


@dataclass(frozen=True, slots=True)
class Rules:
    """The protocol, with faults that can be put back one by one."""

    lease_is_checked: bool = True
    mark_comes_first: bool = True
    reconciler_waits: bool = True
    deadline_is_kept: bool = True
    finish_is_fenced: bool = True
    #: A token is recognised under any address.
    any_address: bool = True
    #: The marker says whether callbacks were asked for.
    marker_knows_callbacks: bool = True
    #: A ring is compared with the number in the marker, not with the default of today.
    marker_knows_sender: bool = True
    #: A ring from another number than the attempt's is not taken for the attempt's.
    senders_are_compared: bool = True
    #: Twilio's list is searched for the number, not for one spelling of it.
    numbers_are_compared: bool = True
    #: A refusal for want of capacity is no attempt.
    capacity_is_free: bool = True
    #: A job that is not there proves nothing.
    unknown_job_is_left: bool = True
    #: The horizon is as far away as the attempt may ring, by its own marker.
    horizon_follows_ring: bool = True
    #: A call that is being placed is ended once its outcome is known.
    forgetting_is_kept: bool = True


@dataclass(frozen=True, slots=True)
class Around:
    """What else happens meanwhile. One thing at a time: all together are too many worlds."""

    #: `PUBLIC_URL` at first, and how often it changes, to another one or to none.
    address: str = ""
    moves: int = 0
    #: How often the number that calls come from changes.
    switches: int = 0
    #: Another program rings the same person, once, from its own number.
    stranger: bool = False
    #: Twilio lists the number in another spelling.
    respelled: bool = False
    #: Refusals for want of capacity.
    crowded: int = 0
    #: All data is lost once.
    emptied: bool = False
    #: Twilio lists a call no sooner than its phone has stopped ringing, and the setting that says
    #: how long it rings is made shorter.
    long_rings: bool = False
    #: The person is forgotten once.
    forgotten: bool = False
    attempts: int = MOST_ATTEMPTS


#: Nothing else happens.
USUAL = Around()


class World(NamedTuple):
    """Everything at one moment. Attempts are numbered from 0.

    A tuple, because a hundred thousand of them are made and looked up.
    """

    #: waiting, held, marked, unknown, completed or failed; forgotten, or lost with all data.
    call: str = "waiting"
    holder: int | None = None
    #: The attempt whose mark stands, or stood last.
    mark: int | None = None
    attempts: int = 0
    #: Each worker: what it is doing, and for which attempt.
    workers: tuple[tuple[str, int | None], ...] = (("idle", None), ("idle", None))
    #: Requests on their way to Twilio.
    flying: frozenset[int] = frozenset()
    #: Attempts that Twilio rang a phone for, once for each ring.
    rings: tuple[int, ...] = ()
    #: Attempts whose phone has rung for as long as it may.
    rung_out: frozenset[int] = frozenset()
    #: Attempts whose ring Twilio has told of by callback.
    reported: frozenset[int] = frozenset()
    #: Attempts whose deadline has passed.
    late: frozenset[int] = frozenset()
    deaths: int = 0
    #: `PUBLIC_URL`, how often it has changed, and what it was when each attempt was begun.
    address: str = ""
    moved: int = 0
    addresses: tuple[str, ...] = ()
    #: How often the number that calls come from has changed, and how often it had when each
    #: attempt was begun: a number is as good as its count, for none ever comes back.
    switched: int = 0
    senders: tuple[int, ...] = ()
    #: Whether another program has rung the person.
    strange: bool = False
    #: Attempts that Twilio refused for want of capacity.
    refused: frozenset[int] = frozenset()
    #: Attempts that there had been when the person was forgotten.
    forgotten: int | None = None
    #: Rings that were hung up.
    ended: frozenset[int] = frozenset()

    def working(self, worker: int, doing: str, attempt: int | None = None) -> World:
        """The same with one worker doing something else."""
        workers = list(self.workers)
        workers[worker] = (doing, attempt)
        return self._replace(workers=tuple(workers))


def steps(world: World, rules: Rules, around: Around) -> Iterator[World]:
    """Every world that can come next."""
    yield from _surroundings(world, around)
    for worker, (doing, attempt) in enumerate(world.workers):
        yield from _worker_steps(world, worker, doing, attempt, rules, around)
    for attempt in world.flying:
        landed = world._replace(flying=world.flying - {attempt})
        yield landed
        yield landed._replace(rings=(*world.rings, attempt))
    for attempt in set(world.rings) - world.reported:
        yield _finish(
            world._replace(reported=world.reported | {attempt}), "accepted", attempt, rules
        )
    for attempt in set(world.rings) - world.rung_out if around.long_rings else ():
        yield world._replace(rung_out=world.rung_out | {attempt})
    for attempt in range(world.attempts):
        if attempt not in world.late:
            yield world._replace(late=world.late | {attempt})
    if world.call == "held":
        yield world._replace(call="waiting", holder=None)
    if world.call == "marked":
        yield world._replace(call="unknown", holder=None)
    if world.call == "unknown":
        yield from _reconcile(world, rules, around)


def _surroundings(world: World, around: Around) -> Iterator[World]:
    if world.moved < around.moves:
        for address in {"", "one", "two"} - {world.address}:
            yield world._replace(address=address, moved=world.moved + 1)
    if world.switched < around.switches:
        yield world._replace(switched=world.switched + 1)
    if around.stranger and not world.strange:
        yield world._replace(strange=True)
    if around.emptied and world.call != "lost":
        yield world._replace(call="lost", holder=None)
    if around.forgotten and world.forgotten is None:
        asked = world._replace(forgotten=world.attempts)
        if world.call in ("marked", "unknown"):
            yield asked
        else:
            ended = world.reported | frozenset(world.rings if world.call == "completed" else ())
            yield asked._replace(call="forgotten", holder=None, ended=ended)


def _worker_steps(
    world: World, worker: int, doing: str, attempt: int | None, rules: Rules, around: Around
) -> Iterator[World]:
    if doing != "idle" and world.deaths < MOST_DEATHS:
        yield world.working(worker, "idle")._replace(deaths=world.deaths + 1)
    if doing == "idle" and world.call == "waiting":
        yield world.working(worker, "took")._replace(call="held", holder=worker)
    elif doing == "took":
        yield _begin(world, worker, rules, around)
    elif doing == "begun":
        yield from _send(world, worker, attempt or 0, rules)
    elif doing == "sent" and attempt not in world.flying:
        rang = attempt in world.rings
        yield world.working(worker, "accepted" if rang else "refused", attempt)
        yield world.working(worker, "unknown", attempt)
        # One that was given up before counts as it was written.
        stands = world.call in ("marked", "unknown") and world.mark == attempt
        if stands and not rang and len(world.refused) < around.crowded:
            crowded = world.working(worker, "refused", attempt)
            yield crowded._replace(refused=world.refused | {attempt or 0})
    elif doing in ("accepted", "refused", "unknown", "unsent"):
        yield _finish(world.working(worker, "idle"), doing, attempt, rules)


def _begin(world: World, worker: int, rules: Rules, around: Around) -> World:
    allowed = world.call == "held" and world.holder == worker
    if not allowed and (rules.lease_is_checked or world.call in ENDS):
        return world.working(worker, "idle")
    free = len(world.refused) if rules.capacity_is_free else 0
    if world.attempts - free == around.attempts:
        return world.working(worker, "idle")._replace(call="failed", holder=None)
    attempt = world.attempts
    started = world.working(worker, "begun", attempt)._replace(attempts=attempt + 1)
    started = started._replace(addresses=(*world.addresses, world.address))
    started = started._replace(senders=(*world.senders, world.switched))
    if not rules.mark_comes_first:
        return started
    return started._replace(call="marked", holder=worker, mark=attempt)


def _send(world: World, worker: int, attempt: int, rules: Rules) -> Iterator[World]:
    if attempt in world.late and rules.deadline_is_kept:
        yield world.working(worker, "unsent", attempt)
        return
    sent = world.working(worker, "sent", attempt)
    sent = sent._replace(flying=world.flying | {attempt})
    if not rules.mark_comes_first and world.call == "held" and world.holder == worker:
        yield sent  # and dies before it writes the mark
        sent = sent._replace(call="marked", mark=attempt)
    yield sent


def _finish(world: World, outcome: str, attempt: int | None, rules: Rules) -> World:
    stands = world.call in ("marked", "unknown") and world.mark == attempt
    is_unwanted = world.call == "forgotten" or not (rules.unknown_job_is_left or stands)
    if outcome == "accepted" and is_unwanted:
        return world._replace(ended=world.ended | {attempt or 0})
    if not stands and rules.finish_is_fenced:
        return world  # superseded: a ring, if there is one, is ended at Twilio
    if world.call in ENDS:
        return world
    call = {"accepted": "completed", "unknown": "unknown"}.get(outcome, "waiting")
    return _written(world._replace(holder=None), call, attempt, rules)


def _written(world: World, call: str, attempt: int | None, rules: Rules) -> World:
    """An outcome is written; of a call to somebody who was forgotten meanwhile nothing stays."""
    if call == "unknown" or world.forgotten is None or not rules.forgetting_is_kept:
        return world._replace(call=call)
    ended = world.ended | ({attempt or 0} if call == "completed" else set())
    return world._replace(call="forgotten", ended=ended)


def _reconcile(world: World, rules: Rules, around: Around) -> Iterator[World]:
    is_ringing = around.long_rings and world.mark in set(world.rings) - world.rung_out
    rang = world.mark in world.rings and not is_ringing and _is_recognised(world, rules, around)
    # Without callbacks, the only ring that can be the attempt's is taken for it.
    is_mistaken = world.strange and not rules.senders_are_compared and not rang
    if rang or is_mistaken:
        yield _written(world, "completed", world.mark, rules)
    at_horizon = world.mark in world.late and world.mark not in world.flying and not rang
    if is_ringing and rules.horizon_follows_ring:
        return
    if at_horizon or not rules.reconciler_waits:
        yield _written(world, "waiting", world.mark, rules)


def _is_recognised(world: World, rules: Rules, around: Around) -> bool:
    """Whether a ring in Twilio's list can be told to be the marked attempt's."""
    if around.respelled and not rules.numbers_are_compared:
        return False
    if world.senders[world.mark or 0] != world.switched and not rules.marker_knows_sender:
        return False
    made_under = world.addresses[world.mark or 0]
    if made_under:
        return rules.any_address or made_under == world.address
    return rules.marker_knows_callbacks or not world.address


def explore(
    rules: Rules, stop: Callable[[World], bool] = lambda _: False, around: Around = USUAL
) -> dict[World, list[World]]:
    """Every world that can be reached, with those that can come next; or until one is enough."""
    known: dict[World, list[World]] = {}
    open_worlds = [World(address=around.address)]
    while open_worlds:
        world = open_worlds.pop()
        if world not in known:
            known[world] = list(steps(world, rules, around))
            open_worlds += known[world]
            if stop(world):
                break
    return known


def broken(known: dict[World, list[World]]) -> list[World]:
    """Worlds in which a phone rang more than once."""
    return [world for world in known if len(world.rings) > 1]


def stuck(known: dict[World, list[World]]) -> list[World]:
    """Worlds from which the call cannot end any more."""
    before: dict[World, list[World]] = {world: [] for world in known}
    for world, following in known.items():
        for each in following:
            before[each].append(world)
    ends = [world for world in known if world.call in ENDS]
    reached = set(ends)
    while ends:
        for each in before[ends.pop()]:
            if each not in reached:
                reached.add(each)
                ends.append(each)
    return [world for world in known if world not in reached]


def test_no_path_rings_twice_and_none_loses_the_call() -> None:
    """Over all interleavings of two workers, a reconciler, deaths, delays and lost messages."""
    known = explore(Rules())
    assert len(known) > 11_000
    assert not broken(known)
    assert not stuck(known)
    completed = [world for world in known if world.call == "completed"]
    assert completed
    assert all(len(world.rings) == 1 for world in completed)


@pytest.mark.parametrize(
    "fault",
    [
        Rules(lease_is_checked=False),
        Rules(mark_comes_first=False),
        Rules(reconciler_waits=False),
        Rules(deadline_is_kept=False),
        Rules(finish_is_fenced=False),
    ],
    ids=lambda rules: next(name for name in Rules.__slots__ if not getattr(rules, name)),
)
def test_each_rule_is_needed(fault: Rules) -> None:
    """Put any one fault back, and some path goes wrong."""
    known = explore(fault, stop=wrong)
    assert any(map(wrong, known))


@pytest.mark.parametrize(
    ("around", "fault"),
    [
        (Around(address="one", moves=1, attempts=2), Rules(any_address=False)),
        (Around(moves=1, attempts=2), Rules(marker_knows_callbacks=False)),
        (Around(switches=2, attempts=2), Rules(marker_knows_sender=False)),
        (Around(stranger=True, attempts=2), Rules(senders_are_compared=False)),
        (Around(respelled=True), Rules(numbers_are_compared=False)),
        (Around(crowded=1, attempts=1), Rules(capacity_is_free=False)),
        (Around(long_rings=True, attempts=2), Rules(horizon_follows_ring=False)),
        (Around(emptied=True), Rules(unknown_job_is_left=False)),
        (Around(forgotten=True), Rules(forgetting_is_kept=False)),
    ],
    ids=[
        "address",
        "callbacks",
        "sender",
        "stranger",
        "spelling",
        "capacity",
        "rings",
        "emptied",
        "forgotten",
    ],
)
def test_what_happens_around_a_call_does_no_harm(around: Around, fault: Rules) -> None:
    """Over all interleavings with it; and the rule that sees to that is needed."""
    known = explore(Rules(), around=around)
    assert not list(filter(wrong, known))
    assert not stuck(known)
    assert any(map(wrong, explore(fault, stop=wrong, around=around)))


def wrong(world: World) -> bool:
    """A phone rang twice or rings on unwanted, or a call that did not ring counts as placed."""
    if len(world.rings) > 1 or (world.call == "completed" and not world.rings):
        return True
    if world.forgotten is not None:
        began_later = any(ring >= world.forgotten for ring in world.rings)
        rings_on = world.call == "forgotten" and not world.reported <= world.ended
        return world.call == "completed" or began_later or rings_on
    is_cut_off = world.call == "lost" and bool(world.ended)
    is_given_up = world.call == "failed" and len(world.refused) == world.attempts
    return is_cut_off or is_given_up
