"""Log lines as an operator or a log collector reads them."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from vomind_queue import log
from vomind_queue.config.settings import Settings
from vomind_queue.log import InOnePiece, LineHandler


def _record(event: str, **extra: object) -> logging.LogRecord:
    record = logging.makeLogRecord({"msg": event, "levelname": "INFO", "name": "vomind_queue.x"})
    vars(record).update(extra)
    record.created, record.msecs = 1_767_323_045.678, 678.0
    return record


@pytest.fixture
def _root_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_text_line_shows_the_event_and_its_fields() -> None:
    """An operator sees mark, event, job, attempt and masked number on one line."""
    record = _record("📞 🔄 call started", job_id="7", attempt=1, sid=None, to="+1******7890")
    assert log.TextFormatter().format(record) == (
        "2026-01-02T03:04:05.678Z INFO 📞 🔄 call started job_id=7 attempt=1 to=+1******7890"
    )


def test_a_text_line_stays_one_line() -> None:
    """What came from outside cannot forge a second line."""
    line = log.TextFormatter().format(_record("a\nb", reason='x\n2026 INFO "y'))
    assert "\n" not in line
    assert line.endswith(r'a\nb reason="x\n2026 INFO \"y"')


def test_a_json_line_has_the_fields_beside_the_event() -> None:
    """A collector gets one object a line, with the marks as they are."""
    line = log.JsonFormatter().format(_record("📞 ✅ completed", job_id="7", level="forged"))
    assert "📞 ✅" in line
    assert json.loads(line) == {
        "time": "2026-01-02T03:04:05.678Z",
        "level": "info",
        "logger": "vomind_queue.x",
        "event": "📞 ✅ completed",
        "job_id": "7",
    }


@pytest.mark.parametrize("formatter", [log.TextFormatter(), log.JsonFormatter()])
def test_a_traceback_is_kept(formatter: logging.Formatter) -> None:
    """An unexpected error says where it came from."""
    record = _record("broken")
    try:
        raise KeyError("lost")
    except KeyError:
        record.exc_info = sys.exc_info()
    assert "KeyError: 'lost'" in formatter.format(record)


@pytest.mark.usefixtures("_root_as_before")
def test_configuring_again_does_not_double_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Each event is written once, however often logging was set up."""
    settings = Settings.from_env({"LOG_LEVEL": "warning", "LOG_FORMAT": "json"})
    log.configure(settings)
    log.configure(settings)
    logging.getLogger("vomind_queue.x").warning("once")
    logging.getLogger("vomind_queue.x").info("not at all")
    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["once"]


class Slow(io.StringIO):
    """A stream whose first write waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        """Takes it, at last."""
        self.begun.set()
        assert self.go_on.wait(20)
        return super().write(text)


def _line(text: str) -> logging.LogRecord:
    """A record of that text."""
    return logging.LogRecord("n", logging.INFO, "", 0, text, None, None)


def _held_up() -> tuple[Slow, LineHandler, threading.Thread]:
    """A stream, its handler, and a thread that is writing ``first`` there until it is let go."""
    stream = Slow()
    handler = LineHandler(stream)
    writer = threading.Thread(target=handler.handle, args=(_line("first"),))
    writer.start()
    assert stream.begun.wait(20)
    return stream, handler, writer


def test_nobody_waits_for_a_line_that_another_thread_writes() -> None:
    """It is left to that thread, which writes it before it goes on."""
    stream, handler, writer = _held_up()
    # Here, while the other one is held up.
    handler.handle(_line("second"))
    handler.handle(_line("third"))
    stream.go_on.set()
    writer.join(20)
    assert stream.getvalue() == "first\nsecond\nthird\n"


def test_lines_of_many_threads_are_whole_and_in_order() -> None:
    """None is lost, none is there twice."""
    stream = io.StringIO()
    handler = LineHandler(stream)

    def talk(name: int) -> None:
        for number in range(300):
            handler.handle(_line(f"{name} {number}"))

    threads = [threading.Thread(target=talk, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    seen = [tuple(map(int, each.split())) for each in stream.getvalue().splitlines()]
    assert len(seen) == 8 * 300
    for name in range(8):
        assert [number for who, number in seen if who == name] == list(range(300))


def test_a_flush_waits_for_what_another_thread_writes() -> None:
    """The end of the process loses no line."""
    stream, handler, writer = _held_up()
    handler.handle(_line("second"))
    flusher = threading.Thread(target=handler.flush)
    flusher.start()
    flusher.join(0.1)
    assert flusher.is_alive()
    stream.go_on.set()
    flusher.join(20)
    writer.join(20)
    assert stream.getvalue() == "first\nsecond\n"


def test_a_stream_that_fails_stops_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library says so on standard error, and the next line is written."""
    stream = io.StringIO()
    handler = LineHandler(stream)
    with monkeypatch.context() as broken:
        broken.setattr(stream, "flush", lambda: 1 / 0)
        handler.handle(_line("first"))
    handler.handle(_line("second"))
    assert "second\n" in stream.getvalue()
    assert "ZeroDivisionError" in capsys.readouterr().err


class Counting(io.StringIO):
    """A stream that counts what is written there."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, text: str) -> int:
        """Takes it."""
        self.writes += 1
        return super().write(text)


@pytest.fixture
def counted(_root_as_before: None) -> Counting:
    """The root logger's only stream."""
    stream = Counting()
    logging.getLogger().handlers[:] = [LineHandler(stream)]
    return stream


def test_lines_of_one_piece_are_written_at_its_end(counted: Counting) -> None:
    """In their order, those of other threads between them, and by one write."""
    handler = logging.getLogger().handlers[0]
    with InOnePiece():
        handler.handle(_line("first"))
        other = threading.Thread(target=handler.handle, args=(_line("second"),))
        other.start()
        other.join(20)
        handler.handle(_line("third"))
        assert not counted.writes
    assert (counted.getvalue(), counted.writes) == ("first\nsecond\nthird\n", 1)
    handler.handle(_line("fourth"))
    assert counted.getvalue().endswith("third\nfourth\n")


def test_a_piece_that_ends_in_an_error_is_written(counted: Counting) -> None:
    """What was logged before it is what somebody will look for."""

    def fail() -> None:
        with InOnePiece(), InOnePiece():
            logging.getLogger().handlers[0].handle(_line("first"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert counted.getvalue() == "first\n"


def test_a_stream_that_fails_at_the_end_of_a_piece_stops_nobody(
    counted: Counting, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next piece is written."""
    handler = logging.getLogger().handlers[0]
    with monkeypatch.context() as broken:
        broken.setattr(counted, "flush", lambda: 1 / 0)
        with InOnePiece():
            handler.handle(_line("first"))
    with InOnePiece():
        handler.handle(_line("second"))
    assert "second\n" in counted.getvalue()
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("args", [(), (1,), (1, "b"), ({"a": 1},), ({},), ([],), None])
def test_a_record_says_what_the_librarys_says(args: Any) -> None:
    """But for the path that none has."""
    given = ("vomind_queue.x", logging.WARNING, "/a/b.py", 7, "text", args, None, "f", None)
    ours, theirs = vars(log.Record(*given)), vars(logging.LogRecord(*given))
    assert list(ours) == list(theirs)
    taken = {"created", "msecs", "relativeCreated", "filename", "module"}
    taken |= {name for name in theirs if name.startswith(("thread", "process"))}
    assert {name: ours[name] for name in theirs if name not in taken} == {
        name: value for name, value in theirs.items() if name not in taken
    }
    assert abs(ours["created"] - theirs["created"]) < 5
    assert 0 <= ours["msecs"] < 1000
