"""Two calls to one number as a small model, all of whose states are visited.

The protocol of one call is in `test_attempt_protocol.py`; here two of them want the same phone.
Answers get lost, callbacks come late, twice or never, and calls are made again. The steps stand for
this code:

=============  =====================================================================
``begin``      `queue/lua/start_dialing.lua`, with `taken_until` of `includes/busy_number.lua`
``settle``     `queue/lua/finish.lua`: `hold_number`, or the number is given up
``report``     `queue/lua/status_callback.lua`, by callback or by polling: `free_number`
``time out``   `busy_until`: Twilio ends a call after so long, whether its end is told or not
=============  =====================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pytest

#: Attempts of a call, beyond which nothing new happens.
MOST_ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """How a number is shared, with faults that can be put back one by one."""

    #: Twilio's acceptance does not free the number: the line is on from then.
    line_holds: bool = True
    #: An attempt with an unknown outcome keeps the number.
    unknown_holds: bool = True
    #: The end of a call frees the number only while it is that call's.
    owner_is_compared: bool = True
    #: The end of an attempt that was told of before frees nothing.
    end_is_fenced: bool = True


class Call(NamedTuple):
    """One of the two calls."""

    #: waiting, marked, unknown, placed or failed.
    state: str = "waiting"
    attempts: int = 0
    #: The request of its attempt: unsent, flying or over.
    request: str = "unsent"
    #: Its line: none, on or off.
    line: str = "none"
    #: Whether Twilio has told of the line's end, and of that of an earlier attempt.
    told: bool = False
    told_before: bool = False


class World(NamedTuple):
    """Everything at one moment."""

    calls: tuple[Call, Call] = (Call(), Call())
    #: Whose the number is, and whether it waits for the end of that call's line.
    owner: int | None = None
    held: bool = False

    def having(self, which: int, **changes: object) -> World:
        """The same with one call changed."""
        calls = list(self.calls)
        calls[which] = calls[which]._replace(**changes)  # type: ignore[arg-type]
        return self._replace(calls=(calls[0], calls[1]))

    def free(self, which: int, *, compared: bool = True) -> World:
        """The same with the number given up, if it is that call's."""
        is_mine = self.owner == which or not compared
        return self._replace(owner=None, held=False) if is_mine else self


def steps(world: World, rules: Rules) -> Iterator[World]:
    """Every world that can come next."""
    for which, call in enumerate(world.calls):
        if call.state == "waiting" and not _is_taken(world, which):
            yield _begin(world, which)
        if call.state in ("marked", "unknown"):
            yield from _request(world, which, call)
            yield from _settle(world, which, call, rules)
        if call.line == "on":
            yield world.having(which, line="off")
        if call.line == "off" and not call.told:
            yield _report(world, which, rules)
        if call.told_before and not rules.end_is_fenced:
            yield world.free(which)
        if call.state == "placed" and call.told and call.attempts < MOST_ATTEMPTS:
            yield world.having(which, state="waiting", line="none", told=False, told_before=True)
    if world.held and world.owner is not None and world.calls[world.owner].line == "off":
        yield world._replace(held=False)


def _is_taken(world: World, which: int) -> bool:
    if world.owner is None:
        return False
    is_marked = world.calls[world.owner].state in ("marked", "unknown")
    return world.held or (world.owner != which and is_marked)


def _begin(world: World, which: int) -> World:
    begun = world.having(
        which, state="marked", attempts=world.calls[which].attempts + 1, request="unsent"
    )
    return begun._replace(owner=which, held=False)


def _request(world: World, which: int, call: Call) -> Iterator[World]:
    if call.request == "unsent":
        # Its deadline passes, or it leaves.
        yield world.having(which, request="over")
        yield world.having(which, request="flying")
    if call.request == "flying":
        yield world.having(which, request="over")
        yield world.having(which, request="over", line="on")


def _settle(world: World, which: int, call: Call, rules: Rules) -> Iterator[World]:
    """The answer, or what reconciliation found; or the worker dies, or the answer is lost."""
    if call.state == "marked":
        unknown = world.having(which, state="unknown")
        yield unknown if rules.unknown_holds else unknown.free(which)
    if call.request != "over":
        return
    if call.line == "none":
        again = "waiting" if call.attempts < MOST_ATTEMPTS else "failed"
        yield world.having(which, state=again).free(which)
        return
    placed = world.having(which, state="placed")
    holds = rules.line_holds and placed.owner == which
    yield placed._replace(held=True) if holds else placed.free(which)


def _report(world: World, which: int, rules: Rules) -> World:
    """Twilio tells of the end; where the outcome was not known, it is by that."""
    told = world.having(which, told=True, state="placed")
    return told.free(which, compared=rules.owner_is_compared)


def explore(rules: Rules) -> dict[World, list[World]]:
    """Every world that can be reached, with those that can come next."""
    known: dict[World, list[World]] = {}
    open_worlds = [World()]
    while open_worlds:
        world = open_worlds.pop()
        if world not in known:
            known[world] = list(steps(world, rules))
            open_worlds += known[world]
    return known


def both_on(world: World) -> bool:
    """Whether both calls are on the line."""
    return all(call.line == "on" for call in world.calls)


def is_over(world: World) -> bool:
    """Whether both calls have come to their end."""
    return all(call.state == "failed" or call.line == "off" for call in world.calls)


def test_two_calls_are_never_on_the_line_together_and_both_have_their_turn() -> None:
    """Over all interleavings of two calls, their answers, their lines and what is told of them."""
    known = explore(Rules())
    assert len(known) > 500
    assert not list(filter(both_on, known))
    before: dict[World, list[World]] = {world: [] for world in known}
    for world, following in known.items():
        for each in following:
            before[each].append(world)
    reached = set(filter(is_over, known))
    ends = list(reached)
    while ends:
        for each in set(before[ends.pop()]) - reached:
            reached.add(each)
            ends.append(each)
    assert reached == set(known)


@pytest.mark.parametrize(
    "fault",
    [
        Rules(line_holds=False),
        Rules(unknown_holds=False),
        Rules(owner_is_compared=False),
        Rules(end_is_fenced=False),
    ],
    ids=lambda rules: next(name for name in Rules.__slots__ if not getattr(rules, name)),
)
def test_each_rule_is_needed(fault: Rules) -> None:
    """Put any one fault back, and the phone of a person who speaks rings."""
    assert any(map(both_on, explore(fault)))
