"""The log in Supabase: what is refused, what is waited for, and what may be said of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.integration.call_log.lines import event, row
from tests.supabase import ANON_KEY, SERVICE_KEY, Supabase
from vomind_queue.call_log.models import Batch, Search
from vomind_queue.call_log.protocol import CallLog
from vomind_queue.call_log.supabase import SupabaseLog, connect
from vomind_queue.errors import LogUnavailable

LogAt = Callable[..., SupabaseLog]


@pytest.fixture
def log_at() -> Iterator[Callable[..., SupabaseLog]]:
    """``log_at(url)`` makes logs that are closed in the end."""
    made: list[SupabaseLog] = []

    def make(url: str, key: str = SERVICE_KEY) -> SupabaseLog:
        made.append(connect(url, key))
        return made[-1]

    yield make
    for log in made:
        log.close()


def test_plain_sql_shows_what_was_delivered(supabase: Supabase, supabase_log: CallLog) -> None:
    """Times, numbers and JSON in columns of their kind."""
    supabase_log.write(Batch(rows=[row(1)], events=[event(1)]))
    found = supabase.sql(
        "select to_number, queued_at, duration + 1 as more, price * 2 as twice, "
        "metadata #>> '{nested,list,1}' as inner from call_logs"
    )
    assert found == [
        {
            "to_number": "+15550000001",
            "queued_at": "2030-11-20T10:00:00.001+00:00",
            "more": 18,
            "twice": -0.017,
            "inner": "2.5",
        }
    ]
    assert supabase.sql(
        "select call_sid, direction, details ->> 'sip' as sip from call_events"
    ) == [{"call_sid": "CA1", "direction": "outbound-api", "sip": "200"}]


@pytest.mark.parametrize("bad", [0, 3, 7])
def test_a_line_that_is_refused_does_not_hold_up_the_others(
    supabase: Supabase, supabase_log: CallLog, bad: int
) -> None:
    """It is found in its batch, and the reason names nobody."""
    supabase.sql("alter table call_logs add constraint polite check (message not like 'rude%')")
    rows = [row(index, message="rude to Ann" if index == bad else "hello") for index in range(8)]
    letters = supabase_log.write(Batch(rows=rows, events=[event(index) for index in range(8)]))
    supabase.sql("alter table call_logs drop constraint polite")
    assert [letter.line for letter in letters] == [rows[bad]]
    assert "polite" in letters[0].reason
    for personal in ("Ann", "rude", "1555"):
        assert personal not in letters[0].reason
    assert len(supabase_log.find(Search())) == 7
    assert len(supabase.sql("select * from call_events")) == 8


def test_the_character_that_postgres_has_no_place_for(supabase_log: CallLog) -> None:
    """A message with a NUL is logged with a sign in its place."""
    lines = [row(1, message="a\0b", metadata={"k\0": ["\0"]})]
    assert supabase_log.write(Batch(rows=lines, events=[])) == []
    found = supabase_log.find(Search())[0]
    assert (found.message, found.metadata) == ("a�b", {"k�": ["�"]})


def test_a_key_that_may_not_write_is_waited_for(supabase: Supabase, log_at: LogAt) -> None:
    """Nothing is given up for it, and the line says which key is wanted."""
    log = log_at(supabase.url, ANON_KEY)
    with pytest.raises(LogUnavailable, match="SUPABASE_SERVICE_KEY"):
        log.write(Batch(rows=[row(1)], events=[]))


def test_missing_tables_are_waited_for(supabase: Supabase, supabase_log: CallLog) -> None:
    """And the line says what to run."""
    supabase.sql("alter table call_logs rename to elsewhere")
    try:
        with pytest.raises(LogUnavailable, match="migrations"):
            supabase_log.write(Batch(rows=[row(1)], events=[]))
    finally:
        supabase.sql("alter table elsewhere rename to call_logs")


def test_nobody_there_is_waited_for(log_at: LogAt) -> None:
    """Neither readers nor the shipper see anything but that it is away."""
    log = log_at("http://127.0.0.1:9")
    with pytest.raises(LogUnavailable, match="cannot be reached"):
        log.write(Batch(rows=[row(1)], events=[]))
    with pytest.raises(LogUnavailable, match="cannot be reached"):
        log.find(Search())


@dataclass(slots=True)
class RawServer:
    """Answers every request with one status, in place of Supabase."""

    status: int
    text: bytes
    #: Reads go through.
    reads: bool = False
    asked: list[str] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def raw_server() -> Iterator[Callable[..., RawServer]]:
    """``raw_server(502, b"<html>…")`` starts one."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, text: bytes, *, reads: bool = False) -> RawServer:
        made = RawServer(status, text, reads)

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                made.asked.append(self.command)
                fine = made.reads and self.command == "GET"
                body = b"[]" if fine else made.text
                self.send_response(200 if fine else made.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        return made

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [401, 402, 404, 408, 429, 500, 502, 503, 504, 520, 544])
def test_a_proxy_that_answers_in_its_place_is_waited_for(
    raw_server: Callable[..., RawServer], log_at: LogAt, status: int
) -> None:
    """HTML or nothing: no line is given up, and one request is enough to know."""
    there = raw_server(status, b"<html>Bad Gateway</html>")
    with pytest.raises(LogUnavailable):
        log_at(there.url).write(Batch(rows=[row(1), row(2)], events=[event(1)]))
    assert there.asked == ["POST"]


@pytest.mark.parametrize("status", [400, 403, 413, 422])
def test_a_proxy_that_refuses_what_is_sent_is_told_from_one_that_refuses_us(
    raw_server: Callable[..., RawServer], log_at: LogAt, status: int
) -> None:
    """A filter that dislikes a message would hold up everything else for ever."""
    closed = raw_server(status, b"<html>no</html>")
    with pytest.raises(LogUnavailable):
        log_at(closed.url).write(Batch(rows=[row(1), row(2)], events=[]))
    picky = raw_server(status, b"<html>no</html>", reads=True)
    letters = log_at(picky.url).write(Batch(rows=[row(1), row(2)], events=[]))
    assert [letter.line for letter in letters] == [row(1), row(2)]


def test_an_answer_that_makes_no_sense_is_waited_for(
    raw_server: Callable[..., RawServer], log_at: LogAt
) -> None:
    """As from a portal that asks for a login: 200 and a page."""
    there = raw_server(200, b"<html>Please log in</html>")
    with pytest.raises(LogUnavailable):
        log_at(there.url).find(Search())
    with pytest.raises(LogUnavailable):
        log_at(there.url).write(Batch(rows=[row(1)], events=[]))
