// Numbers, times and states in words.
import { now } from './api.js';
import { ZONE } from './zone.js';

const COUNT = new Intl.NumberFormat('en');
const CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZone: ZONE,
});
const SHORT_CLOCK = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  timeZone: ZONE,
});
const DAY = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: ZONE,
});
const WHOLE = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'full',
  timeStyle: 'long',
  timeZone: ZONE,
});

export const count = (number) => COUNT.format(number);
export const many = (number, one, more = `${one}s`) =>
  `${count(number)} ${number === 1 ? one : more}`;
export const percent = (part, whole) => (whole ? `${Math.round((100 * part) / whole)}%` : '');
export const upper = (text) => text.charAt(0).toUpperCase() + text.slice(1);
export const lower = (text) => text.charAt(0).toLowerCase() + text.slice(1);

/** 350 ms, 4.2 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. */
export function duration(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms === 0) return '0 s';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1).replace('.0', '')} s`;
  const seconds = Math.round(ms / 1000);
  for (const [unit, name, smaller, small] of [
    [86400, 'd', 3600, 'h'],
    [3600, 'h', 60, 'min'],
    [60, 'min', 1, 's'],
  ]) {
    if (seconds >= unit) {
      const rest = Math.floor((seconds % unit) / smaller);
      return `${Math.floor(seconds / unit)} ${name}${rest ? ` ${rest} ${small}` : ''}`;
    }
  }
  return `${seconds} s`;
}

export const clock = (iso) => CLOCK.format(new Date(iso));
export const short_clock = (iso) => SHORT_CLOCK.format(new Date(iso));
export const whole = (iso) => WHOLE.format(new Date(iso));

/** 14:03:22, or with its day when that is not today. */
export function moment(iso) {
  const at = new Date(iso);
  const today = DAY.format(now()) === DAY.format(at);
  return today ? CLOCK.format(at) : `${DAY.format(at)}, ${SHORT_CLOCK.format(at)}`;
}

/** Wed, 25 Nov, 09:00 as the clocks of that zone show it. */
export function there(iso, zone) {
  return new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: zone,
  }).format(new Date(iso));
}

/** "4 s ago" or "in 3 min 20 s". */
export function distance(iso) {
  const ms = new Date(iso) - now();
  if (Math.abs(ms) < 1000) return 'now';
  const about = Math.round(Math.abs(ms) / 1000) * 1000;
  return ms < 0 ? `${duration(about)} ago` : `in ${duration(about)}`;
}

export const STATES = {
  waiting: { name: 'Waiting', icon: 'hourglass', tone: 'blue' },
  delayed: { name: 'Scheduled', icon: 'clock', tone: 'violet' },
  active: { name: 'Active', icon: 'phone-call', tone: 'teal' },
  completed: { name: 'Placed', icon: 'phone-outgoing', tone: 'blue' },
  failed: { name: 'Failed', icon: 'circle-x', tone: 'red' },
  cancelled: { name: 'Cancelled', icon: 'ban', tone: 'grey' },
  recurring: { name: 'Recurring', icon: 'repeat', tone: 'violet' },
  paused: { name: 'Paused', icon: 'pause', tone: 'amber' },
  ended: { name: 'Ended', icon: 'circle-check', tone: 'grey' },
  unreadable: { name: 'Unreadable', icon: 'circle-alert', tone: 'red' },
};

export const OUTCOMES = {
  completed: { name: 'Answered', tone: 'green' },
  machine: { name: 'Voicemail', tone: 'violet' },
  'no-answer': { name: 'No answer', tone: 'amber' },
  busy: { name: 'Busy', tone: 'orange' },
  failed: { name: 'Network error', tone: 'red' },
  canceled: { name: 'Hung up by us', tone: 'grey' },
  'not-placed': { name: 'Rejected by Twilio', tone: 'maroon' },
};

const ON_THE_LINE = {
  queued: 'At Twilio',
  initiated: 'Dialing',
  ringing: 'Ringing',
  'in-progress': 'Talking',
  unknown: 'Unknown to Twilio',
};

/** Whether a phone rings, or somebody listens, for that job at this moment. */
export const is_on_the_line = (job) =>
  job.state === 'completed' &&
  ['queued', 'initiated', 'ringing', 'in-progress'].includes(job.call && job.call.status);

/** What became of a call on the line, in a word or two; null where nothing is known. */
export function outcome(call) {
  if (!call || !call.status) return null;
  if (call.status === 'completed' && /^(machine|fax)/.test(call.answeredBy || ''))
    return OUTCOMES.machine;
  return (
    OUTCOMES[call.status] || { name: ON_THE_LINE[call.status] || upper(call.status), tone: 'blue' }
  );
}

/** A reason without the words that many begin with: what differs is not cut off. */
export const brief = (reason) =>
  reason && upper(reason.replace(/^Twilio will not place this call: /, ''));

/** Where a call is, the outcome first: `{name, tone, icon}`. */
export function stage(call, state) {
  if (call.reconciled) return { name: 'No clear answer', tone: 'amber', icon: 'search' };
  const said = state === 'completed' && outcome(call.call);
  if (!said) return STATES[state] || { name: state, icon: 'info', tone: 'grey' };
  return { ...said, icon: said.tone === 'green' ? 'circle-check' : 'phone' };
}

/** Characters that would reverse the text around them, by their code points. */
export const visible = (text) =>
  text.replace(/[\u202a-\u202e\u2066-\u2069]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16)}`);

/** Codes of countries: of one digit, of two, and otherwise of three (ITU-T E.164). */
const CODE = /^\+(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[2-9]\d\d)/;

/** `+49 ••••• 7890`: the country stays. */
export function masked(number) {
  const [code] = CODE.exec(number) || [''];
  return number.length > code.length + 4
    ? `${code} ••••• ${number.slice(-4)}`.trimStart()
    : '•••••';
}

/** One shape for a job of the queue and for a row of the call log. */
export function plain(call) {
  const data = call.data || call;
  return {
    id: call.jobId,
    state: call.state,
    to: data.to,
    lead: data.lead_id,
    message: data.message,
    priority: call.priority || data.priority,
    created: call.createdAt,
    due: call.nextAttemptAt || call.scheduledFor,
    reconciled: call.reconciledBy,
    started: call.startedAt,
    finished: call.finishedAt,
    call: call.call,
    reason: call.failedReason,
    attempts: call.attemptsMade,
  };
}
