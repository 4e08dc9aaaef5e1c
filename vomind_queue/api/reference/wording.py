"""What the fields of requests and answers mean: one wording, wherever a field appears."""

from __future__ import annotations

from collections.abc import Mapping

#: By the field's name in JSON.
FIELDS: Mapping[str, str] = {
    # A call.
    "to": "Number to ring: `+` and 7 to 15 digits. Whether it exists is for Twilio to say.",
    "message": "Spoken when the phone is picked up. What would not fit into Twilio's 4,000 "
    "characters, mark-up and escaping included, is refused. Default: `Hello from VoMindAI`.",
    "lead_id": "Your own name for the person, up to 128 characters. Returned as sent.",
    "priority": "No call starts while one of a higher priority waits. Default: `normal`.",
    "metadata": "Your own object, at most 8 KiB. Returned as sent.",
    "retryOn": "Outcomes on the line after which the call is made again; an empty list means "
    "none. Default: the setting `RETRY_ON`.",
    "machineDetection": "Whether Twilio tells an answering machine from a person. "
    "Default: the setting `MACHINE_DETECTION`.",
    "voicemailMessage": "Spoken to an answering machine in place of `message`, after its greeting "
    "unless `machineDetection` is `enable`; not with `off`. Wants the setting `PUBLIC_URL`, or "
    "`TWIML_URL`.",
    "scheduleAt": "When to ring: ISO 8601 with an offset or `Z`, at most a year ahead.",
    "delayMs": "How long after acceptance to ring, ms; at most a year.",
    "calls": "The calls, 1 to 10,000.",
    # A recurring call.
    "cronExpression": "Five fields (minute, hour, day of month, month, day of week) with names, "
    "ranges, lists, steps, `L` and `#`, or `@hourly`, `@daily`, `@weekly`, `@monthly`, `@yearly`. "
    "Two restricted days are ORed, as in cron.",
    "timezone": "IANA name of the time zone of the pattern. Default: the setting "
    "`DEFAULT_TIMEZONE`.",
    "startAt": "No run before this time.",
    "endAt": "No run after this time.",
    "maxRuns": "Runs in all.",
    "graceMs": "How late a run may be; later it does not ring, and is counted as missed. "
    "Default: 15 minutes.",
    "overlap": "What happens to a run while the one before has not ended: left out, or queued. "
    "Default: `skip`.",
    "from": "Runs from this time on. Default: now.",
    "nextRuns": "The next runs, soonest first.",
    "description": "The pattern in words; null where this version cannot read it.",
    "lastJob": "The last run; null before the first one.",
    "lastRuns": "The last ten runs, the newest first.",
    "firedRuns": "Runs that became calls.",
    "missedRuns": "Runs that nobody saw until they were later than `graceMs`.",
    "skippedRuns": "Runs that were left out because the one before had not ended.",
    "updatedAt": "When it was changed last.",
    "cancelledJobs": "Runs that were taken out of the queue with it.",
    "activeJobs": "Runs that were being placed, and go on to their end.",
    # A job.
    "success": "Whether the request was carried out.",
    "ignored": "Fields of the request that are not known here; nothing was done with them.",
    "status": "What became of the request.",
    "jobId": "Name of the job, for all that is asked of it later.",
    "state": "Where the job is.",
    "progress": "0 in the queue, 50 while Twilio is being asked, 100 once the call is placed.",
    "data": "The call, defaults filled in.",
    "attemptsMade": "Attempts that have ended, over all rounds.",
    "failedReason": "The last failure in words to act on; null after success.",
    "createdAt": "When it was accepted.",
    "scheduledFor": "When it is to be dialed; null when it was wanted at once.",
    "startedAt": "When the last attempt began.",
    "finishedAt": "When it completed or failed.",
    "answeredAt": "When the person, or a machine, picked up.",
    "call": "The last attempt's call at Twilio; null while there is none.",
    "attempts": "All attempts, the first one first.",
    "timestamp": "`createdAt` in unix ms.",
    "processedOn": "`startedAt` in unix ms.",
    "finishedOn": "`finishedAt` in unix ms.",
    "number": "1 for the first attempt of the job's life.",
    "endedAt": "When the call was over on the line, or the attempt was given up.",
    "sid": "Twilio's SID of the call.",
    "duration": "Seconds on the line, once it is over.",
    "answeredBy": "With machine detection: `human`, `machine_start`, `machine_end_beep`, `fax`, "
    "`unknown` …",
    "sipResponseCode": "How the called side's network answered, such as 486 for busy.",
    "price": "What it cost, a decimal number as Twilio writes it: less than 0.",
    "priceUnit": "Currency of `price`.",
    "was": "The state that it was in.",
    # Lists and numbers.
    "jobs": "The jobs, in the order of the list.",
    "count": "How many there are in this answer.",
    "total": "How many there are in all.",
    "start": "First place to show, from 0.",
    "end": "Last place to show, itself included; at most 1,000 places. Default: `start` + 10.",
    "grace": "Only calls that finished at least so long ago, ms. Default: an hour.",
    "limit": "At most so many. Default: 1,000.",
    "completedCleaned": "Ids of the completed jobs that were removed.",
    "failedCleaned": "Ids of the failed jobs that were removed.",
    "stats": "Numbers of jobs by state.",
    "paused": "Whether the queue is paused.",
    "pausedBy": "Name of the API key that paused it, `API` without one, `system` when Twilio "
    "refuses the account or a setting.",
    "pausedAt": "Since when.",
    "pauseReason": "Twilio's words, where the queue paused itself.",
    "byPriority": "Waiting calls by priority.",
    "rateLimit": "How much of the allowance is used up; null while no limit holds.",
    "breakerOpenUntil": "When Twilio is tried next, after it refused call after call; null "
    "otherwise.",
    "inDoubt": "Calls whose outcome is being looked for at Twilio; counted in `active`, too.",
    "strayRings": "Calls at Twilio that no attempt accounted for, and that were ended there, ever.",
    "workers": "Workers seen in the last 30 seconds.",
    "callLog": "How far the call log is behind.",
    "recurring": "Recurring calls that have a next run.",
    "schedulerLeads": "Whether a scheduler kept up with recurring calls in the last 30 seconds.",
    "waiting": "In the queue; dialed when their turn comes.",
    "active": "Held by a worker, being placed, or their outcome is being looked for.",
    "completed": "Accepted by Twilio.",
    "failed": "Given up.",
    "delayed": "For later: scheduled, or between two attempts.",
    "high": "Of high priority.",
    "normal": "Of normal priority.",
    "low": "Of low priority.",
    "max": "Starts that are allowed in a window.",
    "windowMs": "Length of a window, which ends at any moment.",
    "used": "Starts in the window that ends now.",
    "resetMs": "Until the next start is allowed; 0 while there is room.",
    "overridden": "Whether an operator changed the rate at run time.",
    "pending": "Entries on their way.",
    "behindMs": "Age of the oldest of them; 0 when there is none.",
    "deadLetters": "Lines that the database refused for good.",
    "lost": "Entries that there was no room for, ever.",
    "shipping": "Whether a shipper is at work.",
    # The call log.
    "outcome": "What became of it on the line; `not-placed` when Twilio never took it; null until "
    "it is known.",
    "anonymizedAt": "When personal fields were blanked; they are null since.",
    "next": "`cursor` of the next page; null on the last one.",
    "events": "What happened to it, in order.",
    "sequence": "Place among the events of the call.",
    "at": "When it happened.",
    "event": "What happened: `accepted`, `due`, `taken`, `started`, `completed`, `line` …",
    "attempt": "Number of the attempt that it belongs to.",
    "details": "What else there is to say.",
    "since": "Accepted at this time or later.",
    "until": "Accepted before this time.",
    "cursor": "`next` of the page before.",
    "complete": "Whether nothing is left to be done.",
    "cancelled": "Calls that were taken out of the queue.",
    "history": "Calls that were removed from the queue's history.",
    "log": "What was erased in the call log.",
    "beingPlaced": "Calls to that number that are being placed: ask once more when they have "
    "ended.",
    # Previews.
    "runs": "The runs, soonest first.",
    "clockChanges": "When the clock of the zone is moved among these runs.",
    "local": "On the wall clock of the zone.",
    "utc": "In UTC.",
    # Problems.
    "error": "The same as `detail`.",
    "type": "Kind of the problem, as RFC 9457 has it.",
    "title": "The status in words.",
    "detail": "One sentence that a person can act on.",
    "errors": "Messages by field, nested as the request is.",
    "requestId": "Also in the header `X-Request-Id`, and in the log of the service.",
}

#: Where a field of a schema means something else than elsewhere: by schema and field.
ELSEWHERE: Mapping[str, str] = {
    "PreviewSchema.count": "Runs to show, at most 50. Default: 10.",
    "RetryFailedSchema.reason": "A kind that `GET /api/queue/failed/reasons` names. Default: all.",
    "RetryFailedSchema.limit": "At most so many. Default: 1,000.",
    "SearchSchema.number": "Calls to this number; a plus sign is `%2B` in an address.",
    "SearchSchema.lead_id": "Calls to this person, by your own name for them.",
    "SearchSchema.jobId": "Calls with this id.",
    "SearchSchema.state": "Calls in this state: those of the queue, or `cancelled`.",
    "SearchSchema.outcome": "Calls that ended so on the line; `not-placed`: Twilio never took it.",
    "SearchSchema.limit": "Calls on a page. Default: 50.",
}
