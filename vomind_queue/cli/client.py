"""The REST API as the command line uses it: by address and key, over HTTP only."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import IO, Any, TypeVar
from urllib.parse import quote

import click
import requests

from vomind_queue.cli.exit_codes import ExitCode, of_status
from vomind_queue.cli.output import safe
from vomind_queue.encoding import readable
from vomind_queue.errors import leaves

#: Where `vomind-queue up` serves the API.
DEFAULT_URL = "http://127.0.0.1:3000"
#: Environment variables of clients, which need no other settings.
CLIENT_VARIABLES = ("VOMIND_URL", "VOMIND_KEY")
#: The path that the queue's endpoints share.
QUEUE = "/api/queue"
CAMPAIGNS = f"{QUEUE}/campaigns"
#: The path of the overview.
OVERVIEW = "/api/overview"
#: How long an answer may take, s: a bulk of 10,000 takes a few.
TIMEOUT_S = 30.0
#: How long a connection may take, s.
CONNECT_S = 5.0
#: The longest wait between two tries, s.
LONGEST_PAUSE_S = 15.0
#: How many messages of a refusal are shown; those of a bulk are listed by line.
MOST_SHOWN = 20
T = TypeVar("T")


class ApiFault(click.ClickException):
    """A failed request; its text is for people, its exit code for programs."""

    def __init__(
        self,
        message: str,
        exit_code: ExitCode,
        *,
        problem: Mapping[str, Any] | None = None,
        sent: bool = True,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.exit_code = int(exit_code)  # type: ignore[misc]
        #: The API's own error document, if there was one.
        self.problem = problem or {}
        #: Whether the request may have been carried out all the same.
        self.sent = sent
        #: When to try again, s, if the API said so.
        self.retry_after_s = retry_after_s
        #: Whether to print the document on standard output as well.
        self.as_json = False

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed later."""
        return self.exit_code == ExitCode.UNREACHABLE

    @property
    def document(self) -> dict[str, Any]:
        """The error as ``--json`` prints it."""
        plain = {"success": False, "error": self.message, "status": None}
        return {**plain, **self.problem, "exitCode": self.exit_code}

    def format_message(self) -> str:
        """Return the text as a terminal may show it."""
        return safe(self.message)

    def show(self, file: IO[Any] | None = None) -> None:
        """Print a line for people on standard error, and the document if it is wanted."""
        super().show(file)
        if self.as_json:
            click.echo(readable(self.document))


#: Called with a failure and the wait after it, s.
Tell = Callable[[ApiFault, float], None]


class Api:
    """One service; safe to use from one thread."""

    def __init__(self, url: str, key: str | None) -> None:
        """Raise click's UsageError for an invalid address or key."""
        self.url = _base(url)
        #: Distinguishes services and keys without revealing them.
        self.fingerprint = hashlib.sha256(f"{self.url} {key or ''}".encode()).hexdigest()[:12]
        self._session = requests.Session()
        self._session.headers["User-Agent"] = "vomind-queue"
        if key is not None:
            self._session.headers["X-API-Key"] = _checked(key)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return a document; a query's ``None`` is left out. Raise ApiFault."""
        return document(self.ask("GET", path, query=query))

    def post(self, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """Return the answer to a body, where there is one. Raise ApiFault."""
        return document(self.ask("POST", path, body=body, headers=headers))

    def patch(self, path: str, body: Any) -> dict[str, Any]:
        """Return the answer to a change. Raise ApiFault."""
        return document(self.ask("PATCH", path, body=body))

    def put(self, path: str, body: Any = None) -> dict[str, Any]:
        """Return the answer to a body, where there is one. Raise ApiFault."""
        return document(self.ask("PUT", path, body=body))

    def delete(self, path: str, body: Any = None) -> dict[str, Any]:
        """Return the answer to a removal. Raise ApiFault."""
        return document(self.ask("DELETE", path, body=body))

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request once; 304 counts as an answer. Raise ApiFault."""
        raw = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        sent = dict(headers or {}) | ({"Content-Type": "application/json"} if raw else {})
        try:
            answer = self._session.request(
                method,
                self.url + path,
                data=raw,
                params={name: value for name, value in (query or {}).items() if value is not None},
                headers=sent,
                timeout=(CONNECT_S, TIMEOUT_S),
                # Following a redirect would turn a POST into a GET and send the key elsewhere.
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise self._unreachable(error) from None
        if answer.status_code in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            return answer
        raise self._refused(answer)

    def _unreachable(self, error: requests.RequestException) -> ApiFault:
        reason = _reason(error)
        message = f"{self.url} did not answer: {reason}."
        sent = not (isinstance(error, requests.ConnectTimeout) or "NewConnection" in repr(error))
        if not sent:
            message = f"{self.url} cannot be reached: {reason}. Is it running there?"
            message += " Use --url or VOMIND_URL for another address."
        return ApiFault(message, ExitCode.UNREACHABLE, sent=sent)

    def _refused(self, answer: requests.Response) -> ApiFault:
        exit_code = of_status(answer.status_code)
        try:
            problem = answer.json()
        except ValueError:
            problem = None
        if isinstance(problem, dict) and isinstance(problem.get("detail"), str):
            return ApiFault(
                _words(problem),
                exit_code,
                problem=problem,
                sent=answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR,
                retry_after_s=_seconds(answer.headers.get("Retry-After")),
            )
        status = f"{answer.status_code} {answer.reason}".strip()
        if to := answer.headers.get("Location"):
            status += f", to {to}"
        if exit_code is not ExitCode.UNREACHABLE:
            exit_code = ExitCode.FAULT
        return ApiFault(f"The server at {self.url} is not VoMind Queue: {status}.", exit_code)


def document(answer: requests.Response) -> dict[str, Any]:
    """Return the JSON object in an answer. Raise ApiFault for anything else."""
    try:
        found = json.loads(answer.content)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ApiFault("The server is not VoMind Queue: its response is not JSON.", ExitCode.FAULT)
    return found


def _words(problem: Mapping[str, Any]) -> str:
    """Return the API's messages if there are several, else its detail."""
    found = [f"{path}: {text}" if path else text for path, text in leaves(problem.get("errors"))]
    if len(found) < 2:  # noqa: PLR2004
        return str(problem["detail"])
    more = [f"… and {len(found) - MOST_SHOWN} more."] if len(found) > MOST_SHOWN else []
    return "\n  ".join(["The request was refused:", *found[:MOST_SHOWN], *more])


def _base(url: str) -> str:
    """Return the address without the path that every request adds."""
    text = url if "://" in url else f"http://{url}"
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise click.UsageError(
            f"{_unsigned(text)!r} is not a service address: expected http://host:port."
        )
    return text.rstrip("/").removesuffix(QUEUE).removesuffix("/api")


def _unsigned(url: str) -> str:
    # A password in the address is not printed again.
    return re.sub(r"//[^/]*@", "//…@", url)


def _checked(key: str) -> str:
    if not re.fullmatch(r"[!-~]+", key):
        raise click.UsageError("Invalid key: expected printable ASCII characters without spaces.")
    return key


def _reason(error: requests.RequestException) -> str:
    """Return the system's message without the library's wrapping."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    found = re.search(r"\[Errno -?\d+\] ([^'\")]+)", repr(error))
    if found:
        return found[1].strip().lower()
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted"
    return "the connection was cut"


def _seconds(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"[0-9]{1,5}", text) else None


def patiently(ask: Callable[[], T], *, for_s: float, tell: Tell | None = None) -> T:
    """Return what ``ask`` returns; retry it for ``for_s`` while the service is unreachable.

    The first retry comes after a second; each pause doubles, up to ``LONGEST_PAUSE_S``. ``tell``
    gets each failure and the wait after it. Raise ApiFault.
    """
    deadline, pause_s = time.monotonic() + for_s, 1.0
    while True:
        try:
            return ask()
        except ApiFault as fault:
            wait_s = max(pause_s, fault.retry_after_s or 0)
            if not fault.passing or time.monotonic() + wait_s > deadline:
                raise
            if tell:
                tell(fault, wait_s)
            time.sleep(wait_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def job_path(job_id: str) -> str:
    """Return the path of a job."""
    return f"{QUEUE}/job/{quote(job_id, safe=':')}"
