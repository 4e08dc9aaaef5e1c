"""Words for a machine as a small model, all of whose states are visited.

One call on the line, Twilio, web and workers. Callbacks get lost and are repeated, updates get
lost before and after Twilio carries them out, workers die. The steps stand for this code:

============  ======================================================================
``report``    `queue/lua/status_callback.lua`: a machine's greeting is over, or a person answered
``claim``     `queue/lua/due_voicemails.lua`: handed out once
``update``    `usecases/voicemails.py`: sent again only where Twilio certainly did not take it
``question``  `queue/lua/voicemail_cue.lua` and `calls/voicemail.py`: Twilio asks what to say
============  ======================================================================

What the model takes for granted, and the settings see to: an update that is older than its
deadline does not arrive any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from vomind_queue.calls.call import Call
from vomind_queue.calls.voicemail import MOST_QUESTIONS, Cue, step

CALL = Call(to="+15005550014", message="Hello", voicemail_message="Call us")
#: Questions, and failed updates, beyond which nothing new happens.
QUESTIONS, FAILURES = 4, 2


@dataclass(frozen=True, slots=True)
class Rules:
    """The protocol, with faults that can be put back one by one."""

    handed_out_once: bool = True
    update_is_waited_for: bool = True
    unknown_is_not_repeated: bool = True
    person_is_left_alone: bool = True


@dataclass(frozen=True, slots=True)
class World:
    """Everything at one moment."""

    machine: bool
    #: What Twilio does: message, pause, asking, voicemail or end.
    line: str = "asking"
    questions: int = 0
    #: Twilio's answer on its way, in the words of `line`; empty: none.
    answer: str = ""
    #: Whether it is known who answered.
    known: bool = False
    #: The record: empty, due, fresh, or stale when the update's deadline has passed.
    record: str = ""
    #: A worker's update: empty, flying, or done when its result is not known yet.
    update: str = ""
    failures: int = 0
    #: How often the words began, and were heard to their end.
    begun: int = 0
    whole: int = 0


def steps(world: World, rules: Rules) -> Iterator[World]:
    """Every world that can come next."""
    if world.line != "end":
        yield from _line(world, rules)
        yield from _report(world, rules)
    if world.record == "due":
        record = "fresh" if rules.handed_out_once else "due"
        # The worker dies before it asks, or asks.
        yield replace(world, record=record)
        yield replace(world, record=record, update="flying")
    if world.record == "fresh" and not world.update:
        yield replace(world, record="stale")
    if world.update == "flying":
        yield from _update(world)
    if world.update in ("lost", "done"):
        again = not rules.unknown_is_not_repeated and world.line != "end"
        yield replace(world, update="", record="due" if again else world.record)


def _report(world: World, rules: Rules) -> Iterator[World]:
    # Repeated: only the first one counts.
    wanted = world.machine or not rules.person_is_left_alone
    due = not world.known and wanted and world.record == ""
    if not world.known:
        yield replace(world, known=True, record="due" if due else world.record)


def _update(world: World) -> Iterator[World]:
    if world.line != "end":
        landed = replace(world, line="voicemail", answer="", begun=min(world.begun + 1, 2))
        yield replace(landed, update="")
        if world.failures < FAILURES:
            yield replace(landed, update="done", failures=world.failures + 1)
    if world.failures < FAILURES:
        failed = replace(world, failures=world.failures + 1)
        yield replace(failed, update="lost")
        # Twilio certainly did not take it.
        yield replace(failed, update="", record="due" if world.record == "fresh" else world.record)
    if world.line == "end":
        yield replace(world, update="")


def _line(world: World, rules: Rules) -> Iterator[World]:
    if world.line == "voicemail":
        yield replace(world, line="end", whole=world.whole + 1)
    elif world.line in ("message", "pause"):
        yield replace(world, line="asking")
    elif world.answer:
        begun = min(world.begun + (world.answer == "voicemail"), 2)
        line = "end" if world.answer == "last" else world.answer
        yield replace(world, line=line, answer="", begun=begun)
    else:
        yield _question(world, rules)


def _question(world: World, rules: Rules) -> World:
    cue = _cue(world, rules)
    asked = MOST_QUESTIONS if world.questions == QUESTIONS else world.questions
    next_ = step(CALL, cue, asked)
    record = "fresh" if cue is Cue.SPEAK else world.record
    world = replace(world, questions=min(world.questions + 1, QUESTIONS), record=record)
    if next_.words == CALL.voicemail_message:
        return replace(world, answer="voicemail")
    if not next_.asks_again:
        return replace(world, answer="last")
    return replace(world, answer="message" if next_.words else "pause")


def _cue(world: World, rules: Rules) -> Cue:
    if not world.known:
        return Cue.UNDECIDED
    if not world.machine and rules.person_is_left_alone:
        return Cue.PERSON
    waits = world.record == "fresh" and rules.update_is_waited_for
    return Cue.WAIT if waits else Cue.SPEAK


def explore(rules: Rules, *, machine: bool) -> set[World]:
    """Every world that can be reached."""
    known: set[World] = set()
    open_worlds = [World(machine=machine)]
    while open_worlds:
        world = open_worlds.pop()
        if world not in known:
            known.add(world)
            open_worlds += steps(world, rules)
    return known


def wrong(rules: Rules) -> list[World]:
    """Worlds in which a machine heard the words twice, or a person heard any of them."""
    machine = [world for world in explore(rules, machine=True) if world.begun > 1]
    return machine + [world for world in explore(rules, machine=False) if world.begun]


def test_no_path_repeats_the_words_and_none_interrupts_a_person() -> None:
    """Over all interleavings; what is lost is made up for while the line is held."""
    worlds = explore(Rules(), machine=True)
    assert len(worlds) > 150
    assert not wrong(Rules())
    ended = [world for world in worlds if world.line == "end" and world.known]
    # Only a line that was held in vain to the last question ends without them.
    assert all(world.whole == 1 or world.questions == QUESTIONS for world in ended)
    assert any(world.whole == 1 and world.failures == FAILURES for world in ended)


@pytest.mark.parametrize(
    "fault",
    [
        Rules(handed_out_once=False),
        Rules(update_is_waited_for=False),
        Rules(unknown_is_not_repeated=False),
        Rules(person_is_left_alone=False),
    ],
    ids=lambda rules: next(name for name in Rules.__slots__ if not getattr(rules, name)),
)
def test_each_rule_is_needed(fault: Rules) -> None:
    """Put any one fault back, and some path goes wrong."""
    assert wrong(fault)
