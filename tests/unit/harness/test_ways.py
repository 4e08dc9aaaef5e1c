"""How the calls that a tracer saw become a way."""

from __future__ import annotations

from tests.ways.tree import Seen, common, grow, twice

#: Two threads; `b` calls a function of its module on the way to `c`.
SEEN: list[Seen] = [
    ("one", 0, "vomind_queue.a", "start"),
    ("one", 1, "vomind_queue.b", "B.go"),
    ("two", 0, "vomind_queue.d", "wake"),
    ("one", 2, "vomind_queue.b", "B._step"),
    ("one", 3, "vomind_queue.c", "write"),
    ("one", 3, "vomind_queue.c", "write"),
]


def test_a_way_shows_the_steps_from_one_module_into_another() -> None:
    """What a module does within itself is not shown, what is done again neither."""
    tree = grow(SEEN)
    assert tree.drawn().splitlines() == ["a.start", "  b.B.go", "    c.write", "d.wake"]
    assert [name[-1] for name in tree.modules()] == ["a", "b", "c", "d"]


def test_what_one_run_did_without_is_on_no_way() -> None:
    """A timer happened to run, or something was loaded."""
    shorter = [each for each in SEEN if each[2] != "vomind_queue.d"]
    assert grow(common([SEEN, shorter])).modules() == grow(common([shorter, SEEN])).modules()
    assert "d.wake" not in grow(common([shorter, SEEN])).drawn()


def test_what_is_left_out_takes_along_what_it_led_to() -> None:
    """Else it would hang in the air, though other branches lead there as well."""
    timer: list[Seen] = [
        ("two", 0, "vomind_queue.e", "tick"),
        ("two", 1, "vomind_queue.c", "write"),
    ]
    assert common([SEEN, [*SEEN[:3], *timer, *SEEN[3:]]]) == SEEN


def test_two_branches_that_meet_are_told() -> None:
    """Where they lead on; a helper without anything behind it is nobody's branch."""
    again: list[Seen] = [
        ("one", 0, "vomind_queue.e", "other"),
        ("one", 1, "vomind_queue.c", "write"),
    ]
    assert twice([*SEEN, *again]) == []
    beyond: list[Seen] = [("one", 2, "vomind_queue.f", "send")]
    assert twice([*SEEN, *again, *beyond]) == []
    both = [*SEEN, ("one", 4, "vomind_queue.f", "send"), *again, *beyond]
    assert twice(both) == ["vomind_queue.c.write"]
