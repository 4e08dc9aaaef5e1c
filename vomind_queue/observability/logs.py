"""Log lines: one event per line, followed by its fields, as text or as JSON.

A module logs with the standard library alone::

    logger = logging.getLogger(__name__)
    logger.info("📞 🔄 call started", extra={"job_id": "7", "attempt": 1, "to": mask_number(to)})

and each item of ``extra`` becomes a field of the line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from functools import lru_cache
from typing import Any

from vomind_queue.config.settings import Settings
from vomind_queue.encoding import readable

#: Attributes that the standard library sets on every record.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

#: Celery's task logger and others put these on records; they repeat what the line says.
_NOISE = frozenset({"data", "color_message"})

#: What ends a line or controls a terminal, and marks that reverse text.
_OBEYED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

#: Loggers that write a line for each connection or request at level info.
_QUIET = ("urllib3", "twilio.http_client", "amqp", "kombu")


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the items of ``extra`` in order, without those that are ``None``."""
    return {
        name: value
        for name, value in vars(record).items()
        if name not in _OWN and name not in _NOISE and value is not None
    }


class TextFormatter(logging.Formatter):
    """``2026-01-02T03:04:05.678Z INFO 📞 🔄 call started job_id=7 attempt=1``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, followed by the traceback if there is one."""
        pairs = "".join([f" {name}={_plain(value)}" for name, value in fields(record).items()])
        line = f"{_utc(record)} {record.levelname} {_one_line(record.getMessage())}{pairs}"
        # It may have parts of what a stranger sent.
        trace = map(_one_line, _trace(self, record).splitlines())
        return "\n".join([line, *trace])


class JsonFormatter(logging.Formatter):
    """One JSON object per line: ``time``, ``level``, ``logger``, ``event`` and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, with a traceback in ``trace``."""
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
        return readable(line)


def configure(settings: Settings) -> None:
    """Send every log line of this process to standard error, in the configured format.

    Replaces any earlier configuration, so it can be called from Celery's ``setup_logging``
    signal as well as from an entry point.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    level = logging.getLevelName(settings.log_level.upper())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)
    # No format uses these: docs.python.org/3/howto/logging.html#optimization.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def _utc(record: logging.LogRecord) -> str:
    return f"{_second(int(record.created))}.{int(record.msecs):03d}Z"


@lru_cache(maxsize=2)
def _second(unix_s: int) -> str:
    # Many lines fall into one second, and `strftime` looks for the time zone's file each time.
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(unix_s))


def _one_line(text: str) -> str:
    return _OBEYED.sub(lambda sign: json.dumps(sign[0])[1:-1], text)


def _plain(value: object) -> str:
    """Return the value, quoted if its end would otherwise be ambiguous."""
    text = str(value)
    return text if text and text.isprintable() and " " not in text else json.dumps(text)


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info:
        parts.append(formatter.formatException(record.exc_info))
    if record.stack_info:
        parts.append(formatter.formatStack(record.stack_info))
    return "\n".join(parts)
