"""Endpoints that Twilio calls: status callbacks, and the TwiML for an answered call.

They require no API key, because Twilio has none. They check its signature over the address, which
contains the attempt's token, and over the body. Only Twilio knows the token, so the body of a
request without a valid one is not even read.
"""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from flask import Blueprint, Flask, Response, request
from werkzeug.datastructures import MultiDict

from vomind_queue.api.body import read_bytes
from vomind_queue.api.errors import Refused
from vomind_queue.api.middleware import services
from vomind_queue.calls.call_status import StatusUpdate, UpdateOutcome
from vomind_queue.calls.voicemail import PAUSE_S, Step
from vomind_queue.errors import JobNotFound
from vomind_queue.twilio.callbacks import keys_path, read, status_path, twiml_path
from vomind_queue.twilio.twiml import ask_again, hang_up, open_with, pause, say, say_goodbye

logger = logging.getLogger(__name__)

routes = Blueprint("twilio", __name__)
#: Their path, below that of PUBLIC_URL if it has one.
TWILIO_PATH = "/api/twilio"
#: Twilio sends some thirty short parameters.
MOST_PARAMETERS = 200
MOST_BYTES = 64 * 1024
#: How often any other key restarts the message with the offer.
OTHER_KEYS = 2
#: Twenty bytes, an HMAC-SHA1, in base64.
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{27}=")


def install(app: Flask, public_url: str | None) -> None:
    """Add the routes, for proxies that strip the path of PUBLIC_URL and those that do not."""
    app.register_blueprint(routes, url_prefix=TWILIO_PATH)
    if prefix := urlsplit(public_url or "").path:
        app.register_blueprint(routes, url_prefix=prefix + TWILIO_PATH, name="twilio-public")


@routes.post("/status/<job_id>/<token>")
def status(job_id: str, token: str) -> Response:
    """Store a status callback. Raise Refused for what Twilio did not sign."""
    if not _is_expected(job_id, token):
        raise Refused(HTTPStatus.FORBIDDEN, "This call belongs to no attempt.")
    report = _admit(job_id, status_path(job_id, token))
    heard = services().status_callbacks.record(job_id, token, report)
    if heard.outcome in (UpdateOutcome.SUPERSEDED, UpdateOutcome.MISSING):
        raise Refused(HTTPStatus.FORBIDDEN, "This call belongs to no attempt.")
    return Response(status=HTTPStatus.NO_CONTENT)


@routes.route("/twiml/<job_id>/<token>", methods=["GET", "POST"])
def twiml(job_id: str, token: str) -> Response:
    """Return what the call is to hear next. Raise Refused if unsigned."""
    document = hang_up()
    if _is_expected(job_id, token):
        report = _admit(job_id, twiml_path(job_id, token))
        heard = services().status_callbacks.record(job_id, token, report)
        if heard.outcome is not UpdateOutcome.SUPERSEDED:
            document = _next(job_id, token, report.sid)
    return Response(document, content_type="text/xml; charset=utf-8")


@routes.post("/keys/<job_id>/<token>")
def keys(job_id: str, token: str) -> Response:
    """Put the number on the do-not-call list if the key for that was pressed.

    Raise Refused for what Twilio did not sign.
    """
    document = hang_up()
    if _is_expected(job_id, token):
        form = _admitted(job_id, keys_path(job_id, token))
        document = _heed(job_id, token, form.get("Digits", ""))
    return Response(document, content_type="text/xml; charset=utf-8")


def _heed(job_id: str, token: str, pressed: str) -> str:
    """Return what follows a key: any key but the one for opting out restarts the message."""
    opt_out = services().settings.opt_out
    try:
        call = services().queue.job(job_id).call
    except JobNotFound:
        return hang_up()
    voice = call.spoken(services().settings.voice)
    if pressed == opt_out.digit:
        services().do_not_call.opt_out(call.to, job_id, pressed)
        return say_goodbye(opt_out.confirmation, voice)
    times = request.args.get("other", 0, type=int)
    if times >= OTHER_KEYS:
        return say(call.message, voice)
    public_url = services().settings.public_url or ""
    url = f"{public_url}{keys_path(job_id, token)}?other={times + 1}"
    return open_with(None, opt_out.offer, call.message, voice, url)


def _next(job_id: str, token: str, sid: str) -> str:
    questions = request.args.get("asked", 0, type=int)
    step = services().next_words.step(job_id, token, sid, questions)
    if step.words is None and not step.asks_again:
        return hang_up()
    public_url = services().settings.public_url or ""
    document = pause(PAUSE_S) if step.words is None else _spoken(step, job_id, token, public_url)
    if not step.asks_again:
        return document
    return ask_again(document, f"{public_url}{twiml_path(job_id, token)}?asked={questions + 1}")


def _spoken(step: Step, job_id: str, token: str, public_url: str) -> str:
    opt_out, words = services().settings.opt_out, step.words or ""
    if step.for_machine:
        return say(opt_out.for_machine(words), step.voice)
    url = public_url + keys_path(job_id, token)
    return open_with(opt_out.caller_name, opt_out.offer, words, step.voice, url)


def _is_expected(job_id: str, token: str) -> bool:
    """Return whether the body of this request may be read; a GET has none.

    Raise Refused for what cannot come from Twilio.
    """
    signature = request.environ.get("HTTP_X_TWILIO_SIGNATURE") or ""
    if services().signature_validator is None or not _SIGNATURE.fullmatch(signature):
        raise _unsigned(job_id)
    return request.method != "POST" or services().status_callbacks.expects(job_id, token)


def _admit(job_id: str, path: str) -> StatusUpdate:
    """Return Twilio's report. Raise Refused where the signature is not Twilio's."""
    report = read(_admitted(job_id, path))
    if report is None:
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "CallSid: Must be the SID of a call.")
    return report


def _admitted(job_id: str, path: str) -> MultiDict[str, str]:
    """Return the parameters of a request. Raise Refused where the signature is not Twilio's."""
    # Twilio signed the address that it was given; the host, port and scheme that a proxy used to
    # pass the request on do not count.
    query = _text((request.environ.get("QUERY_STRING") or "").encode("latin-1", "replace"))
    form = _parsed(_text(read_bytes(MOST_BYTES)) if request.method == "POST" else "")
    signature, signature_validator = (
        request.environ["HTTP_X_TWILIO_SIGNATURE"],
        services().signature_validator,
    )
    if signature_validator is None or not signature_validator.genuine(path, query, form, signature):
        raise _unsigned(job_id)
    return form if request.method == "POST" else _parsed(query)


def _unsigned(job_id: str) -> Refused:
    logger.warning("request refused, not signed by Twilio", extra={"job_id": job_id[:128]})
    return Refused(HTTPStatus.FORBIDDEN, "This request is not signed by Twilio.")


def _parsed(encoded: str) -> MultiDict[str, str]:
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise Refused(HTTPStatus.FORBIDDEN, "This request is not signed by Twilio.") from error
    return MultiDict(pairs)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
