"""Log lines as an operator or a log collector reads them."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from vomind_queue.config.settings import Settings
from vomind_queue.observability import logs


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
    assert logs.TextFormatter().format(record) == (
        "2026-01-02T03:04:05.678Z INFO 📞 🔄 call started job_id=7 attempt=1 to=+1******7890"
    )


def test_a_text_line_stays_one_line() -> None:
    """What came from outside cannot forge a second line."""
    line = logs.TextFormatter().format(_record("a\nb", reason='x\n2026 INFO "y'))
    assert "\n" not in line
    assert line.endswith(r'a\nb reason="x\n2026 INFO \"y"')


def test_a_json_line_has_the_fields_beside_the_event() -> None:
    """A collector gets one object a line, with the marks as they are."""
    line = logs.JsonFormatter().format(_record("📞 ✅ completed", job_id="7", level="forged"))
    assert "📞 ✅" in line
    assert json.loads(line) == {
        "time": "2026-01-02T03:04:05.678Z",
        "level": "info",
        "logger": "vomind_queue.x",
        "event": "📞 ✅ completed",
        "job_id": "7",
    }


@pytest.mark.parametrize("formatter", [logs.TextFormatter(), logs.JsonFormatter()])
def test_a_traceback_is_kept(formatter: logging.Formatter) -> None:
    """An unexpected error says where it came from."""
    record = _record("broken")
    try:
        raise KeyError("lost")
    except KeyError:
        record.exc_info = sys.exc_info()
    assert "KeyError: 'lost'" in formatter.format(record)


@pytest.mark.parametrize("formatter", [logs.TextFormatter(), logs.JsonFormatter()])
def test_nothing_in_a_line_controls_a_terminal(formatter: logging.Formatter) -> None:
    """Neither in the event nor in a field nor in a traceback."""
    hostile = "a\x1b]0;title\x07b\x9b31mc\u202ed"
    record = _record(hostile, reason=hostile)
    try:
        raise KeyError(hostile) from ValueError(f"{hostile}\r{hostile}")
    except KeyError:
        record.exc_info = sys.exc_info()
    assert all(line.isprintable() for line in formatter.format(record).split("\n"))


@pytest.mark.usefixtures("_root_as_before")
def test_configuring_again_does_not_double_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Each event is written once, however often logging was set up."""
    settings = Settings.from_env({"LOG_LEVEL": "warning", "LOG_FORMAT": "json"})
    logs.configure(settings)
    logs.configure(settings)
    logging.getLogger("vomind_queue.x").warning("once")
    logging.getLogger("vomind_queue.x").info("not at all")
    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["once"]
