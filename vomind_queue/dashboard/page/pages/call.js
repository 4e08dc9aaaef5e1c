// One call: its whole story, and why it has not rung yet.
import { get, job_path } from '../api.js';
import * as actions from '../actions.js';
import { again as call_again, edit } from '../edit.js';
import { html, useEffect } from '../html.js';
import { useLive } from '../live.js';
import { CopyMark, Failure, Icon, Loading, Phone, Pill, Stage, Time, Urgency } from '../parts.js';
import { job_of } from '../table.js';
import {
  clock,
  distance,
  duration,
  is_on_the_line,
  many,
  moment,
  outcome,
  plain,
  STATES,
  upper,
  visible,
} from '../words.js';

const EVENTS = {
  accepted: ['Accepted', 'circle-check', 'blue'],
  due: ['Due', 'clock', 'blue'],
  taken: ['Taken by a worker', 'activity', 'grey'],
  given_back: ['Given back, in its old place', 'undo-2', 'grey'],
  started: ['Dialing', 'phone-outgoing', 'teal'],
  completed: ['Accepted by Twilio', 'phone-call', 'green'],
  failed: ['Given up', 'circle-x', 'red'],
  refused: ['Refused', 'circle-alert', 'amber'],
  postponed: ['Did not count: tried again', 'hourglass', 'amber'],
  in_doubt: ['No clear answer from Twilio', 'search', 'amber'],
  put_off: ['Waiting', 'clock', 'violet'],
  overridden: ['Against the rules', 'circle-alert', 'amber'],
  changed: ['Changed', 'clock', 'violet'],
  retried: ['Given new attempts', 'rotate-ccw', 'blue'],
  line: ['On the line', 'phone', 'teal'],
  line_ended: ['Call ended', 'phone', 'green'],
  recorded: ['Recording ready', 'phone-call', 'grey'],
  hung_up: ['Hang-up asked for', 'phone-off', 'grey'],
  revived: ['It did ring after all', 'phone-call', 'green'],
  cancelled: ['Cancelled', 'ban', 'grey'],
  removed: ['Removed from history', 'trash-2', 'grey'],
};

const TWILIO_LOG = 'https://console.twilio.com/us1/monitor/logs/calls';
/** Events of the line by Twilio's word. */
const LINE = { initiated: 'Dialing', ringing: 'Ringing', 'in-progress': 'Answered' };

/** Wait before the call log is asked again for a call that has just left the queue. */
const LOG_MS = 1000;

/** The job, where the queue still has it; what the log tells; and why it has not rung. */
async function load(id) {
  const missing = (error) => {
    if (error.status === 404) return null;
    throw error;
  };
  const log = (error) => (error.status === 404 ? null : { away: error.message });
  const [job, told] = await Promise.all([
    get(job_path(id)).catch(missing),
    get(`api/calls/${encodeURIComponent(id)}`).catch(log),
  ]);
  if (!job && (!told || told.away))
    throw Object.assign(new Error(`There is no call ${id}.`), { status: 404 });
  const why =
    job && !['completed', 'failed'].includes(job.state)
      ? await get(`${job_path(id)}/why`).catch(() => null)
      : null;
  return { job, told, why };
}

function Why({ why }) {
  const unclear = why.reasons.some((reason) => reason.kind === 'unknown-outcome');
  return html`<section class="card why"><header><h2>${unclear ? 'Whether it rang is not known' : 'Why it has not rung yet'}</h2>${why.expectedAt && html`<span class="faint">expected ${distance(why.expectedAt)}</span>`}</header>
    <ol>${why.reasons.map((reason) => html`<li key=${reason.kind}>${reason.text}${reason.until && html` <span class="faint">Until ${moment(reason.until)}, <${Time} at=${reason.until} far />.</span>`}</li>`)}</ol>${unclear && html`<p class="faint">To judge by hand, look for the number in <a href=${TWILIO_LOG} target="_blank" rel="noreferrer">Twilio’s call log <${Icon} name="external-link" /></a>.</p>`}</section>`;
}

/** What an event adds to its name. */
function detail(event) {
  const { details } = event;
  return [
    event.event === 'line_ended' && event.status ? outcome(event).name : null,
    event.attempt && !['line', 'line_ended'].includes(event.event) && `Attempt ${event.attempt}`,
    event.duration !== null &&
      event.duration !== undefined &&
      event.event.startsWith('line') &&
      `${event.duration} s`,
    details.recording,
    details.answered_by && `answered by ${details.answered_by}`,
    details.sip && `SIP ${details.sip}`,
    details.price && `${details.price} ${details.unit || ''}`,
    details.due && `until ${moment(new Date(Number(details.due)).toISOString())}`,
    details.reason,
  ]
    .filter(Boolean)
    .join(' · ');
}

/** The story as far as the job itself tells it, where the log cannot. */
function from_job(job) {
  const events = [{ sequence: 0, at: job.createdAt, event: 'accepted', details: {} }];
  for (const made of job.attempts) {
    const at = { attempt: made.number, details: {} };
    if (made.startedAt)
      events.push({ ...at, sequence: events.length, at: made.startedAt, event: 'started' });
    if (made.endedAt)
      events.push({
        ...at,
        sequence: events.length,
        at: made.endedAt,
        event: made.sid ? 'line_ended' : 'refused',
        status: made.status,
        duration: made.duration,
        details: { reason: made.failedReason },
      });
  }
  return events;
}

function Timeline({ job, told, why }) {
  const logged = told && told.events;
  const events = logged || from_job(job);
  const waiting = why && why.state === 'waiting';
  return html`<section class="card"><header><h2>What happened</h2><span class="faint">${many(events.length, 'event')}</span></header>
    <ol class="timeline">${events.map((event) => {
      const [known, icon, tone] = EVENTS[event.event] || [event.event, 'info', 'grey'];
      const name = (event.event === 'line' && LINE[event.status]) || known;
      return html`
      <li key=${event.sequence} class=${tone}><span class="mark"><${Icon} name=${icon} /></span><div><strong>${name}</strong>${detail(event) && html`<p>${detail(event)}</p>`}</div><time dateTime=${event.at} title=${event.at}>${clock(event.at)}</time></li>`;
    })}
      ${waiting && html`<li class="blue pending"><span class="mark"><${Icon} name="hourglass" /></span><div><strong>Waiting</strong><p>${why.reasons[0].text}</p></div><time>now</time></li>`}
      <li class="grey foot"><span class="mark"><${Icon} name=${logged ? 'list-checks' : 'hourglass'} /></span><div><strong>${logged ? 'In the call log' : told && told.away ? 'The call log cannot be read' : 'On its way into the call log'}</strong>
        <p>${logged ? `${many(events.length, 'event')} delivered.` : told && told.away ? told.away : 'The story above is the queue’s own.'}</p></div></li>
    </ol></section>`;
}

/** What a call may say of how it is placed, by the names of the API. */
const OPTIONS = [
  'retryOn',
  'machineDetection',
  'voicemailMessage',
  'language',
  'voice',
  'twimlUrl',
  'ringTimeoutMs',
  'notAfter',
  'sendDigits',
  'record',
  'from',
  'timezone',
  'region',
  'purpose',
  'consent',
  'override',
];

const ENDED = ['completed', 'failed', 'cancelled'];

const Fact = ({ name, children }) => html`<div><dt>${name}</dt><dd>${children}</dd></div>`;

function Facts({ shown, job, told }) {
  const said = outcome(shown.call);
  const data = job ? job.data : { ...told, ...told.options };
  const options = OPTIONS.filter((name) => data[name] !== undefined);
  const metadata =
    data.metadata && Object.keys(data.metadata).length
      ? visible(JSON.stringify(data.metadata, null, 2))
      : null;
  return html`<section class="card"><header><h2>The call</h2></header><dl class="facts">
    <${Fact} name="Number"><${Phone} number=${shown.to} />${shown.to && html`<${CopyMark} text=${shown.to} what="number" />`}<//>
    <${Fact} name="Lead">${shown.lead ?? html`<span class="faint">–</span>`}${shown.lead !== undefined && shown.lead !== null && html`<${CopyMark} text=${`${shown.lead}`} what="lead" />`}<//>
    <${Fact} name="Priority"><${Urgency} priority=${shown.priority} /><//>
    <${Fact} name="State">${STATES[job ? job.state : told.state]?.name || (job || told).state}<//>
    <${Fact} name="Attempts">${job && job.attempts.length > shown.attempts ? `${shown.attempts} ended, number ${job.attempts.length} under way` : shown.attempts}<//>
    <${Fact} name="Accepted"><${Time} at=${shown.created} /><//>
    ${(job || told).scheduledFor && html`<${Fact} name="Scheduled for"><${Time} at=${(job || told).scheduledFor} /><//>`}
    ${job && job.nextAttemptAt && job.nextAttemptAt !== job.scheduledFor && html`<${Fact} name="Next attempt"><${Time} at=${job.nextAttemptAt} /><//>`}
    ${shown.started && html`<${Fact} name="Started"><${Time} at=${shown.started} /><//>`}
    ${said && html`<${Fact} name="On the line"><${Pill} tone=${said.tone}>${said.name}<//><//>`}
    ${shown.call && shown.call.duration !== null && html`<${Fact} name="Duration">${duration(shown.call.duration * 1000)}<//>`}
    ${shown.call && shown.call.answeredBy && html`<${Fact} name="Answered by">${shown.call.answeredBy}<//>`}
    ${shown.call && shown.call.price && html`<${Fact} name="Price">${shown.call.price} ${shown.call.priceUnit}<//>`}
    ${shown.call && shown.call.recording && html`<${Fact} name="Recording"><a href=${shown.call.recording.url} target="_blank" rel="noreferrer">${shown.call.recording.sid} <${Icon} name="external-link" /></a><//>`}
    ${options.map((name) => html`<${Fact} key=${name} name=${name}>${visible(JSON.stringify(data[name]))}<//>`)}
    ${shown.call && shown.call.sid && html`<${Fact} name="Twilio SID"><code>${shown.call.sid}</code><${CopyMark} text=${shown.call.sid} what="SID" /><//>`}
  </dl>
  <h3>Message</h3><blockquote>${(data.message && visible(data.message)) ?? html`<span class="faint">blanked</span>`}</blockquote>
  ${metadata && html`<h3>Metadata</h3><pre tabindex="0">${metadata}</pre>`}</section>`;
}

/** What went wrong, and what follows. */
function problem(shown, state, job) {
  if (shown.reconciled)
    return html`<strong>Twilio gave no clear answer.</strong> ${shown.reason} It is checked until ${moment(shown.reconciled)}, then dialed again if it did not ring.`;
  if (state === 'failed')
    return html`<strong>It failed.</strong> <${Words} text=${shown.reason} />`;
  const next = job && job.nextAttemptAt;
  return html`<strong>Attempt ${Math.max(shown.attempts, 1)} came to nothing.</strong> <${Words} text=${shown.reason} />${next && html` It is dialed again at ${moment(next)} (attempt ${shown.attempts + 1}).`}`;
}

/** A reason; Twilio's page on the error is a click away. */
function Words({ text }) {
  const code = /\berror (\d{5})\b/.exec(text || '');
  return html`${text}${code && html` <a href=${`https://www.twilio.com/docs/api/errors/${code[1]}`} target="_blank" rel="noreferrer">Twilio ${code[1]} <${Icon} name="external-link" /></a>`}`;
}

function Buttons({ job, back }) {
  if (['waiting', 'delayed'].includes(job.state))
    return html`${job.startedAt || job.attemptsMade ? '' : html`<button type="button" onClick=${() => edit(job)}><${Icon} name="pencil" />Change</button>`}<button type="button" class="danger" onClick=${() => actions.cancel(job)}><${Icon} name="x" />Cancel</button>`;
  if (job.state === 'active')
    return html`<span class="faint">${job.reconciledBy ? 'It cannot be cancelled until its outcome is known.' : 'It is being dialed and cannot be cancelled any more.'}</span>`;
  return html`${is_on_the_line(job) && html`<button type="button" class="danger" onClick=${() => actions.hang_up(job)}><${Icon} name="phone-off" />Hang up</button>`}${job.state === 'failed' && html`<button type="button" class="primary" onClick=${() => actions.retry(job)}><${Icon} name="rotate-ccw" />Retry</button>`}
    ${!is_on_the_line(job) && html`<button type="button" onClick=${() => call_again(job)}><${Icon} name="phone-outgoing" />${job.state === 'failed' ? 'Correct and call again' : 'Call again'}</button>`}
    <button type="button" onClick=${() => actions.remove(job, back)}><${Icon} name="trash-2" />Remove</button>`;
}

export function CallPage({ id }) {
  const { value, error, again } = useLive(() => load(id), [id]);
  const left = Boolean(value && error && error.status === 404);
  // It was here a moment ago, and the call log hears of its end in another.
  useEffect(() => {
    const timer = left && setTimeout(again, LOG_MS);
    return () => clearTimeout(timer);
  }, [error]);
  if (left)
    return html`<header class="page"><h1 tabindex="-1">Call ${id}</h1></header><div class="notice"><${Icon} name="info" /><div><strong>It has left the queue.</strong> The call log does not tell of it yet.</div></div>`;
  if (!value)
    return html`<header class="page"><h1 tabindex="-1">Call ${id}</h1></header>${error ? html`<${Failure} error=${error} again=${error.status === 404 ? null : again} />` : html`<${Loading} />`}`;
  const { job, told, why } = value;
  const shown = plain(job || told);
  const state = job ? job.state : told.state;
  const run = /^recurring:([0-9]+):/.exec(id);
  return html`<p class="crumbs"><a href=${`#/calls/${state}`}><${Icon} name="arrow-left" />${STATES[state] ? STATES[state].name : upper(state)} calls</a>${run && html`<a href=${`#/recurring/${run[1]}`}><${Icon} name="repeat" />Its recurring call</a>`}</p>
    <header class="page"><h1 tabindex="-1">Call ${id} <${CopyMark} text=${id} what="call id" /><${Stage} call=${shown} state=${state} /></h1><div class="acts">${
      job
        ? html`<${Buttons} job=${job} back=${() => {
            location.hash = `#/calls/${state}`;
          }} />`
        : html`<span class="faint">Not in the queue any more; this is what the call log keeps.</span>${ENDED.includes(state) && told.to && html`<button type="button" onClick=${() => call_again(job_of(told))}><${Icon} name="phone-outgoing" />Call again</button>`}`
    }</div></header>
    ${shown.reason && html`<div class=${`notice ${state === 'failed' ? 'error' : 'warning'}`}><${Icon} name="circle-alert" /><div>${problem(shown, state, job)}</div></div>`}
    ${why && html`<${Why} why=${why} />`}
    <div class="columns story"><${Timeline} job=${job} told=${told} why=${why} /><${Facts} shown=${shown} job=${job} told=${told} /></div>`;
}
