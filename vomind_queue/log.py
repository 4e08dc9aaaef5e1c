"""Log lines: one event a line, its fields beside it, as text or as JSON.

A module logs with the standard library alone::

    logger = logging.getLogger(__name__)
    logger.info("📞 🔄 call started", extra={"job_id": "7", "attempt": 1, "to": mask_number(to)})

and whatever stands in ``extra`` becomes a field of the line.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any, TextIO

from vomind_queue.config.settings import Settings
from vomind_queue.encoding import readable

#: What the standard library itself puts on a record, before anything else.
_BLANK = vars(logging.LogRecord("", 0, "", 0, "", (), None))
#: The same and what it may add to it later.
_OWN = frozenset(_BLANK) | {"message", "asctime", "taskName"}

#: Celery's task logger and others put these on records; they repeat what the line says.
_NOISE = frozenset({"data", "color_message"})

#: Lines that are written in one piece at most.
MOST_LINES = 1_000
#: How long the end of a process waits for a line that is being written, s.
FLUSH_S = 5.0
#: Talkative at info, one line for each connection or request.
_QUIET = ("urllib3", "twilio.http_client", "amqp", "kombu")


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as ``extra``, in that order, without what is ``None``."""
    return {
        name: value
        for name, value in islice(vars(record).items(), len(_BLANK), None)
        if name not in _OWN and name not in _NOISE and value is not None
    }


class Record(logging.LogRecord):
    """As the library's, without the parts of a path and the time since the start.

    Neither stands in a line, and they take half of what it takes to make one.
    """

    def __init__(  # noqa: PLR0913, PLR0917  (the library's own arguments)
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: object,
        args: Any,
        exc_info: Any,
        func: str | None = None,
        sinfo: str | None = None,
        **_: Any,
    ) -> None:
        created = time.time()
        # What `fields` leaves out comes first, whatever version of the library it is of.
        vars(self).update(_BLANK)
        self.name, self.msg = name, msg
        # One mapping names its values, as in the library.
        named = args and len(args) == 1 and args[0] and isinstance(args[0], Mapping)
        self.args = args[0] if named else args
        self.levelno, self.levelname = level, logging.getLevelName(level)
        self.pathname, self.lineno, self.funcName = pathname, lineno, func  # type: ignore[assignment]
        self.exc_info, self.stack_info = exc_info, sinfo
        self.created, self.msecs = created, float(int(created % 1 * 1000))


class TextFormatter(logging.Formatter):
    """``2026-01-02T03:04:05.678Z INFO 📞 🔄 call started job_id=7 attempt=1``."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, and a traceback below it where there is one."""
        pairs = "".join([f" {name}={_plain(value)}" for name, value in fields(record).items()])
        line = f"{_utc(record)} {record.levelname} {_one_line(record.getMessage())}{pairs}"
        trace = _trace(self, record)
        return f"{line}\n{trace}" if trace else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``event`` and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback stands in ``trace``."""
        line: dict[str, Any] = {
            "time": _utc(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in fields(record).items() if name not in line}
        trace = _trace(self, record)
        if trace:
            line["trace"] = trace
        return readable(line, default=str)


class LineHandler(logging.Handler):
    """Writes lines to a stream, those of many threads in one piece.

    The library's own holds a lock while it writes, and all other threads that have something
    to say stop there. Here they leave their lines to the one that writes, and go on: it ends
    only when none is left. What stands before the next line of a thread is the same as ever.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self.stream = stream
        self._waiting: deque[str] = deque()
        self._writing = threading.Lock()
        os.register_at_fork(after_in_child=self._begin_anew)

    def handle(self, record: logging.LogRecord) -> bool:
        """As the library's, but for its lock: a formatter of ours keeps nothing."""
        if self.filters and not self.filter(record):
            return False
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line now, or leaves it to the thread that is writing."""
        try:
            self._waiting.append(self.format(record) + "\n")
            # Looked at again after each release: a line may have come just before it.
            while self._waiting and self._writing.acquire(blocking=False):
                self._write()
        except Exception:  # noqa: BLE001  (the library's own way)
            self.handleError(record)

    def hold(self) -> bool:
        """Keeps lines, those of all threads, until `let_go`; ``False`` where some are written."""
        return self._writing.acquire(blocking=False)

    def let_go(self) -> None:
        """Writes what was kept."""
        try:
            self._write()
            while self._waiting and self._writing.acquire(blocking=False):
                self._write()
        except Exception:  # noqa: BLE001  (the library's own way)
            self.handleError(logging.makeLogRecord({"msg": "lines of the log"}))

    def flush(self) -> None:
        """Waits until all lines are written, for a bounded time: a signal may interrupt a write."""
        while self._writing.acquire(timeout=FLUSH_S):
            self._write()
            if not self._waiting:
                return

    def _write(self) -> None:
        """What is waiting; the caller has the lock, and has it no more afterwards."""
        try:
            lines: list[str] = []
            with suppress(IndexError):
                while len(lines) < MOST_LINES:
                    lines.append(self._waiting.popleft())
            if lines:
                self.stream.write("".join(lines))
                self.stream.flush()
        finally:
            self._writing.release()

    def _begin_anew(self) -> None:
        """In a forked process: the lock may be that of a thread which is not there."""
        self._waiting.clear()
        self._writing = threading.Lock()


class InOnePiece:
    """For ``with``: what is logged meanwhile is written at the end, in one piece."""

    def __enter__(self) -> None:
        self._holding = [
            each for each in logging.root.handlers if isinstance(each, LineHandler) and each.hold()
        ]

    def __exit__(self, *_: object) -> None:
        for each in self._holding:
            each.let_go()


def configure(settings: Settings) -> None:
    """Sends every log line of this process to standard error, as the settings say.

    Replaces what was set up before, so that it can be called from Celery's
    ``setup_logging`` signal and from an entry point alike.
    """
    formatters: Mapping[str, type[logging.Formatter]] = {
        "text": TextFormatter,
        "json": JsonFormatter,
    }
    handler = LineHandler(sys.stderr)
    handler.setFormatter(formatters[settings.log_format]())
    level = logging.getLevelName(settings.log_level.upper())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)
    _look_no_further()


def _look_no_further() -> None:
    """Leaves out what no line of ours shows, and what takes half of a line's time to find out.

    As https://docs.python.org/3/howto/logging.html#optimization has it.
    """
    logging._srcfile = None  # noqa: SLF001
    logging.setLogRecordFactory(Record)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def _utc(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.msecs):03d}Z"


@lru_cache(maxsize=8)
def _second(unix_s: int) -> str:
    # Many lines share one.
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(unix_s))


def _one_line(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")


def _plain(value: object) -> str:
    """The value as it is, or quoted where a reader could not tell where it ends."""
    text = str(value)
    return text if text and text.isprintable() and " " not in text else json.dumps(text)


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info:
        parts.append(formatter.formatException(record.exc_info))
    if record.stack_info:
        parts.append(formatter.formatStack(record.stack_info))
    return "\n".join(parts)
