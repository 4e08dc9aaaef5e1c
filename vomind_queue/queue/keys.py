"""Names of everything the queue keeps in Redis, built here and nowhere else.

All keys share the hash tag ``{calls}``, so that a Redis Cluster keeps them on
one shard and a script may touch a job's key that it has only just found.

A job's *member* in a sorted set is its id behind one letter that stands for the
id's length. Members with equal scores are ordered by their bytes, and so
``a9`` comes before ``b10``: jobs of the same millisecond keep their order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vomind_queue.calls.call import Priority, State
from vomind_queue.queue.old_keys import OLD_NAMES

_ROOT = "{calls}:"

#: Hash, one for each job: the record. Its fields are listed in `call_record.py`.
JOB = _ROOT + "job:"
#: Sorted sets, one for each priority's rank: waiting jobs by the time they were wanted. Those of a
#: campaign are in other sets: ``<rank>:<campaign>``.
WAITING = _ROOT + "waiting:"
#: Sorted set: open jobs with a latest start, by the first millisecond that is too late. One that
#: is held may be missing, and comes back when it is given back.
EXPIRING = _ROOT + "expiring"
#: Sorted set: jobs for later, by due time.
DELAYED = _ROOT + "delayed"
#: Sorted set: jobs that a worker holds or whose outcome is unknown, by when they were claimed.
ACTIVE = _ROOT + "active"
#: Sorted set: jobs held by a living worker, by the end of their lease.
LEASES = _ROOT + "leases"
#: Sorted set: jobs with an attempt of unknown outcome, by the time of the next check.
RECONCILING = _ROOT + "reconciling"
#: Sorted set: placed calls, by the time they were placed.
COMPLETED = _ROOT + "completed"
#: Sorted set: calls given up, by the time of giving up.
FAILED = _ROOT + "failed"
#: Sorted set: lease tokens of the last starts, those within the rolling window among them.
WINDOW = _ROOT + "window"
#: Sorted sets, one for each kind of rule (`rules/judge.py`): calls that it holds, by until when.
HELD = _ROOT + "held:"
#: String: digest of the rules for which held calls were woken last; none: they are to be woken.
RULES = _ROOT + "rules"
#: Strings with an expiry, one for each worker: its rules and its key; see `worker_report.py`.
WORKER_REPORT = _ROOT + "worker_report:"
#: Hash: days that were closed at run time; see `closed_days.py`.
CLOSED_DAYS = _ROOT + "closed_days"
#: String: an operator's change of the rate, ``max:windowMs`` or ``off``.
RATE = _ROOT + "rate"
#: Hash ``by``, ``at``, ``reason``: stands while the queue is paused.
PAUSED = _ROOT + "paused"
#: Hash ``refusals``, ``next``, ``probe``: refusals in a row and the next probe.
BREAKER = _ROOT + "breaker"
#: Hash ``attempts``, ``since``, ``until``: attempts in a row to which Twilio gave no clear answer,
#: when the first of them began, and by when every unknown outcome is reconciled; unix ms.
UNANSWERED = _ROOT + "unanswered"
#: Hash: number to the one job whose call it is taken by: one that is being placed, has an unknown
#: outcome or is on the line, or whose line was over less than the least gap ago.
DIALING = _ROOT + "dialing"
#: Sorted set: those numbers whose call was placed, by when they are free at the latest.
BUSY_UNTIL = _ROOT + "busy_until"
#: Sorted set: numbers that are never rung, in the order in which they were listed.
DO_NOT_CALL = _ROOT + "do_not_call"
#: Hash: what is known of each of them; see `do_not_call_list.py`.
DO_NOT_CALL_ENTRIES = _ROOT + "do_not_call:entries"
#: Stream: changes of that list which the call log does not have yet.
DO_NOT_CALL_OUTBOX = _ROOT + "do_not_call:outbox"
#: Hashes with an expiry, one for each kind of event, period of ten days and last digits of numbers:
#: when calls to people started, and more, for the caps; see `includes/starts.lua`.
STARTS = _ROOT + "starts:"
#: Sorted set: SIDs of recent attempts, by time, so that no call counts for two attempts.
SIDS = _ROOT + "sids"
#: Sorted set: placed calls that are not over or not priced, by when to poll them at Twilio.
STATUS_POLLS = _ROOT + "status_polls"
#: Sorted set: placed calls that are not over, by the rank of their status (`call_status.py`).
LINE = _ROOT + "line"
#: String with an expiry: calls were handed out to be polled a moment ago.
PACE = _ROOT + "pace"
#: Sorted set: SIDs of calls that belong to no attempt, to be ended, by the time of the next try.
ORPHANS = _ROOT + "orphans"
#: Sorted set: tokens of attempts at calls that were removed or forgotten, by time: a ring of theirs
#: is ended.
REVOKED = _ROOT + "revoked"
#: Sorted set: calls whose machine is to hear its words, by when a worker is to put them in.
VOICEMAILS = _ROOT + "voicemails"
#: Hash: how often the impossible happened, ``orphans``; until when a call waits for Twilio's
#: capacity, ``crowded``; when one last waited for the do-not-call list, ``nolist``; unix ms.
COUNTS = _ROOT + "counts"
#: List of one element at most: notifies one sleeping worker.
NOTIFY = _ROOT + "notify"
#: List of one element at most: wakes one worker that sleeps until something else is due.
DUE = _ROOT + "due"
#: Sorted set: workers, by the time they last asked for calls.
WORKERS = _ROOT + "workers"
#: String: the last job id given out.
LAST_ID = _ROOT + "id"
#: Hash, one for each idempotency key: ``fingerprint``, ``ids``, ``at``.
REQUEST = _ROOT + "request:"
#: Sorted set: bulks that are being staged (``first:count``), by the time they are dropped.
STAGING = _ROOT + "staging"
#: Streams: what happened to calls and is not in the call log yet, by sequence number; kept
#: apart so that details go before final states where there is too much (see `includes/outbox.lua`).
OUTBOX_DETAILS = _ROOT + "outbox:details"
OUTBOX_FINALS = _ROOT + "outbox:finals"
#: Strings: the sequence numbers of the last entry written and of the last one delivered.
OUTBOX_LAST = _ROOT + "outbox:last"
OUTBOX_SHIPPED = _ROOT + "outbox:shipped"
#: Hash ``details``, ``finals``, ``records``, ``dead``: what did not reach the log for want of room.
OUTBOX_LOST = _ROOT + "outbox:lost"
#: String: token of the one active shipper.
OUTBOX_LEADER = _ROOT + "outbox:leader"
#: Hash: what the log refused for good, JSON by name.
OUTBOX_DEAD = _ROOT + "outbox:dead"
#: Hash, one for each call removed while entries of it were on their way: its record.
GONE = _ROOT + "gone:"
#: Sorted set: their ids, by the last sequence number for which they are kept.
OUTBOX_GONE = _ROOT + "outbox:gone"
#: Sorted set: keys of log rows of people to be forgotten, by time, unix ms.
OUTBOX_FORGOTTEN = _ROOT + "outbox:forgotten"
#: Sorted set: campaigns that changed and are not in the call log as they are now, by how often; a
#: deleted one as ``id:created ms``.
OUTBOX_CAMPAIGNS = _ROOT + "outbox:campaigns"
#: String: version of the campaigns that were read last for the log.
OUTBOX_VERSION = _ROOT + "outbox:version"
#: String: the run of the server whose campaigns were compared with the call log last.
OUTBOX_COMPARED = _ROOT + "outbox:compared"
#: Hash: subscriptions to events by id, JSON; see `webhook_store.py`.
WEBHOOKS = _ROOT + "webhooks"
#: Hash: how often each subscription was changed by a person. A notifier that knows an earlier
#: number reads the subscription again.
WEBHOOK_EPOCHS = _ROOT + "webhooks:epochs"
#: Hash: which notifier delivers to a subscription, and until when: ``token unix-ms``.
WEBHOOK_LEASES = _ROOT + "webhooks:leases"
#: Hash, one for each subscription: how far it is; its fields are listed in `webhook_store.py`. With
#: the endings ``:retries``, a hash of events to be sent again, and ``:deliveries``, a list.
WEBHOOK = _ROOT + "webhook:"
#: Hash: what became of all deliveries, ever: ``delivered``, ``failed``, ``missed``, ``abandoned``.
WEBHOOK_TOTALS = _ROOT + "webhooks:totals"
#: Sorted set: notifiers, by the time they last renewed their leases.
NOTIFIERS = _ROOT + "notifiers"
#: String with an expiry: somebody reads the live stream, or did lately.
EVENTS_WANTED = _ROOT + "events:wanted"
#: Stream: what happened and is not an event yet, by the outbox's sequence numbers. It is written
#: only while there is a subscription or a reader of the live stream.
EVENTS_OUTBOX = _ROOT + "events:outbox"
#: String: sequence number of the last entry of it that became events, and how many calls of the
#: next one did: ``sequence calls``.
EVENTS_PREPARED = _ROOT + "events:prepared"
#: Stream: the last events, complete, by their own sequence numbers.
EVENTS = _ROOT + "events"
#: String: sequence number of the last of them.
EVENTS_LAST = _ROOT + "events:last"
#: String: token of the one notifier that makes events of entries.
EVENTS_LEADER = _ROOT + "events:leader"
#: Hash: what did not become events: ``entries`` and ``records`` for want of room, ``unmade``
#: because it could not be read.
EVENTS_LOST = _ROOT + "events:lost"
#: String: how often events of a forgotten person were removed.
EVENTS_ERASURES = _ROOT + "events:erasures"
#: RedBeat's ``redbeat_key_prefix``: its keys share the hash tag, so that one script makes a call
#: and moves RedBeat's entry on.
REDBEAT = _ROOT + "redbeat:"
#: Hash, one for each recurring call: an entry of RedBeat's; its fields are listed in
#: `recurring_record.py`.
SCHEDULE = REDBEAT + "recurring:"
#: Sorted set, RedBeat's: keys of all entries by when they are due, unix s; -1 for never.
SCHEDULES = REDBEAT + ":schedule"
#: String with an expiry, RedBeat's: token of the active scheduler.
SCHEDULER_LOCK = REDBEAT + ":lock"
#: Before RedBeat stored them: a hash for each recurring call, and a sorted set by next tick, ms.
OLD_SCHEDULE = _ROOT + "schedule:"
OLD_SCHEDULES = _ROOT + "schedules"
#: String: the last number of a schedule given out.
LAST_SCHEDULE = _ROOT + "scheduleid"
#: Hash: dedup key of a recurring call to the number of its schedule. It keeps the name that earlier
#: versions gave it: a process of theirs that found no dedup keys would store a call twice.
DEDUP_KEYS = _ROOT + "identities"
#: Sorted set: recurring calls by number and by lead, each with the score 0; see
#: `includes/index.lua`.
RECURRING_INDEX = _ROOT + "recurring_index"
#: Hash, one for each campaign; its fields are listed in `campaign_record.py`.
CAMPAIGN = _ROOT + "campaign:"
#: Sorted set: ids of all campaigns, by themselves.
CAMPAIGNS = _ROOT + "campaigns"
#: Sorted set: ids of those that have not ended, by themselves.
OPEN_CAMPAIGNS = _ROOT + "open_campaigns"
#: List, one for each campaign: the calls that it was given, as ``first id:count``.
CAMPAIGN_CALLS = _ROOT + "campaign_calls:"
#: Sorted sets, one for each priority's rank: campaigns whose calls may be claimed, by virtual time;
#: see `includes/turns.lua`.
TURNS = _ROOT + "turns:"
#: Hash ``now:<rank>``, ``none:<rank>``: the present virtual time, and that of calls of no campaign.
SHARES = _ROOT + "shares"
#: Sorted set: campaigns that are at their pace, by when another call of them may start.
RESTING = _ROOT + "resting"
#: Sorted sets, one for each campaign with a pace: lease tokens of its last starts, by time.
CAMPAIGN_STARTS = _ROOT + "campaign_starts:"
#: Sorted set: ``start:<id>`` and ``end:<id>`` of campaigns, by when that is.
CAMPAIGN_TIMES = _ROOT + "campaign_times"
#: Sorted set: campaigns that were cancelled or whose end came, by when to end some of their calls.
SWEEPING = _ROOT + "sweeping"
#: String: the last id of a campaign given out.
LAST_CAMPAIGN = _ROOT + "campaignid"
#: Hash with an expiry, one for each list that was uploaded; its fields are in `staged_lists.py`.
STAGED_LIST = _ROOT + "list:"
#: Hash, one for each such list, that goes with it: digests of its rows, and the ids of their calls.
LIST_JOBS = _ROOT + "list_jobs:"
#: Hashes that go with it, too: parts of its file, and of the rows as they were read, by number. The
#: latter end with the token of the work that read them.
LIST_FILE = _ROOT + "list_file:"
LIST_PAGES = _ROOT + "list_pages:"
#: Sorted set: ids of the lists that are kept, by when they go, unix ms.
STAGED_LISTS = _ROOT + "lists"
#: String: the last id of a list given out.
LAST_LIST = _ROOT + "listid"
#: Hashes with an expiry, one for each campaign: digests of the rows that it was given, and when.
LIST_ROWS = _ROOT + "list_rows:"
#: List, one for each schedule: instants of its last occurrences, newest first.
RUNS = _ROOT + "runs:"
#: Hash ``seen``: when a scheduler had last seen to all that was due, unix ms.
SCHEDULER = _ROOT + "scheduler"
#: Hash, one for each queue whose calls were taken over: what a call was called there, and its id.
INHERITED = _ROOT + "inherited:"
#: String: what tells this store from all others, for queues that are taken over.
STORE_NAME = _ROOT + "name"
#: Hash, one for each of the last minutes: its fields are listed in `inspection.py`.
MINUTE = _ROOT + "minute:"
#: List: what people did, newest first: ``number unix-ms JSON``.
ACTIVITY = _ROOT + "activity"
#: Hash, one for each act on many calls; its fields are listed in `act_book.py`. With the endings
#: ``:ids``, a list of the calls, ``:results``, a hash by call, and ``:lease``.
ACT = _ROOT + "act:"
#: String: number of its last entry.
ACTIVITY_LAST = _ROOT + "activity:last"
#: Hash: how often things happened, ever; its fields are listed in `metrics_reader.py`.
TOTALS = _ROOT + "totals"
#: List with an expiry, one for each client that asks: the times of its last requests.
REQUEST_LIMIT = _ROOT + "request_limits:"
#: Never written; deleting it lets a script go on when memory is full (see `includes/memory.lua`).
NOTHING = _ROOT + "nothing"

#: The keys as the Lua scripts know them: ``JOB`` is ``K.job`` there.
LUA_NAMES = {
    name.lower(): value
    for name, value in list(globals().items())
    if re.fullmatch("[A-Z][A-Z_]*", name)
} | {name: _ROOT + old for name, old in OLD_NAMES.items()}


def job(job_id: str) -> str:
    """Return key of one job's record."""
    return JOB + job_id


def schedule(schedule_id: str) -> str:
    """Return key of one schedule's record."""
    return SCHEDULE + schedule_id


def campaign(campaign_id: str) -> str:
    """Return key of one campaign's record."""
    return CAMPAIGN + campaign_id


def member(job_id: str) -> str:
    """Return what stands for a job in a sorted set, as in `includes/job.lua`."""
    return chr(96 + min(len(job_id), 26)) + job_id


def waiting(priority: Priority) -> str:
    """Return key of the waiting jobs of one priority."""
    return f"{WAITING}{priority.rank}"


def sets_of(state: State, campaigns: Sequence[str] = ()) -> list[str]:
    """Return sorted sets that hold the jobs of a state, in the order in which they are listed.

    ``campaigns``: those whose jobs are meant, too.
    """
    if state is State.WAITING:
        of_none = [waiting(priority) for priority in Priority]
        return of_none + [f"{name}:{each}" for each in campaigns for name in of_none]
    return [_ROOT + state]
