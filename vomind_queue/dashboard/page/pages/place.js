// Place a call: now, later, again and again, or many from a file.
import { call, fresh_key, job_path, now, post } from '../api.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { overview, touched } from '../live.js';
import { Choice, Field, Icon, say } from '../parts.js';
import { useCell } from '../state.js';
import { distance, masked, moment, whole } from '../words.js';
import { from_wall, to_wall, ZONE, ZONES } from '../zone.js';
import { FilePage } from './file.js';

const TABS = [
  ['now', 'Call now', 'phone'],
  ['later', 'Later', 'calendar-clock'],
  ['recurring', 'Recurring', 'repeat'],
  ['file', 'From a file', 'file-spreadsheet'],
];
const PRIORITIES = [
  ['high', 'High'],
  ['normal', 'Normal'],
  ['low', 'Low'],
];
const DETECTION = [
  ['', 'As in the settings'],
  ['off', 'Off'],
  ['enable', 'As soon as possible'],
  ['detect-message-end', 'After the greeting'],
];
/**
 * Fields of the API that are a line here: name, label, what says how to write it, and what is sent
 * where that is not the text.
 */
const OPTIONS = [
  ['language', 'Language', { hint: 'Such as de-DE or ar.' }, { placeholder: 'en-US' }],
  ['voice', 'Voice', { hint: 'Twilio’s name of it.' }, { placeholder: 'Polly.Joanna' }],
  [
    'twimlUrl',
    'Application for this call',
    { hint: 'Twilio asks this address what to do, in place of the message.' },
    { type: 'url', placeholder: 'https://agents.example.com/voice' },
  ],
  [
    'ringTimeoutMs',
    'Ring for',
    { hint: 'Seconds, 5 to 600.' },
    { type: 'number', min: 5, max: 600, placeholder: '30' },
    (seconds) => Math.round(Number(seconds) * 1000),
  ],
  [
    'sendDigits',
    'Keys to press',
    { hint: 'Once it is answered, for an extension; w waits half a second.' },
    { placeholder: 'ww123#' },
  ],
  [
    'timezone',
    'Time zone of the person',
    { hint: 'For the calling rules, where the number does not tell it.' },
    { placeholder: 'America/Chicago' },
  ],
  ['region', 'Country or state', { hint: 'In ISO 3166.' }, { placeholder: 'US-FL' }],
  [
    'purpose',
    'Purpose',
    { hint: 'marketing, informational or debt.' },
    { placeholder: 'informational' },
  ],
];
const OUTCOMES = [
  ['busy', 'busy'],
  ['no-answer', 'no answer'],
  ['failed', 'failed'],
  ['machine', 'voicemail'],
];
const MOST = 3000;

const blank = () => ({
  to: '',
  message: '',
  lead_id: '',
  priority: 'normal',
  retry: false,
  retryOn: [],
  machineDetection: '',
  voicemailMessage: '',
  record: false,
  metadata: '',
  ...Object.fromEntries(OPTIONS.map(([name]) => [name, ''])),
  notAfter: '',
  from: '',
});

/** The body of a request for one call. Throws `{errors}` without a message, or for metadata that is no JSON. */
function body_of(form) {
  if (!form.message.trim()) {
    const message = 'Say what the person is to hear.';
    throw Object.assign(new Error(message), { errors: { message: [message] } });
  }
  const body = { to: form.to.replace(/[\s().-]/g, ''), priority: form.priority };
  for (const name of ['message', 'lead_id', 'machineDetection', 'voicemailMessage', 'from'])
    if (form[name]) body[name] = form[name];
  for (const [name, , , , sent = (text) => text] of OPTIONS)
    if (form[name]) body[name] = sent(form[name]);
  if (form.record) body.record = true;
  if (form.retry) body.retryOn = form.retryOn;
  if (form.notAfter) body.notAfter = new Date(form.notAfter).toISOString();
  if (form.metadata.trim()) {
    try {
      body.metadata = JSON.parse(form.metadata);
    } catch (error) {
      throw Object.assign(new Error('The metadata is not JSON.'), {
        errors: { metadata: [`This is not JSON: ${error.message}`] },
      });
    }
  }
  return body;
}

/** Enter after the number goes on to the message: nobody rings a phone by accident. */
function on_to_message(event) {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  document.getElementById('message').focus();
}

function CallFields({ form, set, errors, recurring = false }) {
  // A recurring call has the zone of its pattern by that name.
  const options = OPTIONS.filter(([name]) => !recurring || name !== 'timezone');
  const { shown } = useCell(overview);
  const senders = (shown && shown.senders) || [];
  const change = (name) => (event) => set({ ...form, [name]: event.target.value });
  const tick = (name) => (event) =>
    set({
      ...form,
      retryOn: event.target.checked
        ? [...form.retryOn, name]
        : form.retryOn.filter((each) => each !== name),
    });
  return html`
    <${Field} id="to" label="Number to call" hint="Start with + and the country code, like +49 30 1234567." errors=${errors.to}>${(aria) => html`<input ...${aria} type="tel" autocomplete="off" placeholder="+14155550123" required value=${form.to} onInput=${change('to')} onKeyDown=${on_to_message} />`}<//>
    <${Field} id="message" label="Message" errors=${errors.message} hint=${form.message.length > MOST * 0.8 ? `${form.message.length} of ${MOST} characters` : 'Spoken when the phone is picked up.'}>${(aria) => html`<textarea ...${aria} rows="3" maxlength=${MOST} required placeholder="What the person hears" value=${form.message} onInput=${change('message')}></textarea>`}<//>
    <div class="pair"><${Choice} name="priority" label="Priority" options=${PRIORITIES} value=${form.priority} set=${(priority) => set({ ...form, priority })} />
    <${Field} id="lead" label="Lead" optional errors=${errors.lead_id} hint="Your own name for the person.">${(aria) => html`<input ...${aria} maxlength="128" autocomplete="off" value=${form.lead_id} onInput=${change('lead_id')} />`}<//></div>
    <details class="more"><summary>Voice, retries, answering machines, metadata</summary>
      <div class="pair">${options.map(([name, label, how, input]) => html`<${Field} key=${name} id=${name} label=${label} optional errors=${errors[name]} ...${how}>${(aria) => html`<input ...${aria} ...${input} autocomplete="off" value=${form[name]} onInput=${change(name)} />`}<//>`)}</div>
      ${senders.length > 1 && html`<${Field} id="from" label="Call from" errors=${errors.from}>${(aria) => html`<select ...${aria} value=${form.from} onChange=${change('from')}><option value="">As in the settings</option>${senders.map((each) => html`<option value=${each} key=${each}>${each}</option>`)}</select>`}<//>`}
      <fieldset class="ticks"><legend>Retry when</legend>
        <label><input type="checkbox" checked=${!form.retry} onChange=${(event) => set({ ...form, retry: !event.target.checked })} /> as in the settings (RETRY_ON, by default never)</label>
        ${OUTCOMES.map(([key, text]) => html`<label key=${key}><input type="checkbox" disabled=${!form.retry} checked=${form.retryOn.includes(key)} onChange=${tick(key)} /> ${text}</label>`)}</fieldset>
      <${Field} id="detection" label="Detect voicemail" errors=${errors.machineDetection}>${(aria) => html`<select ...${aria} value=${form.machineDetection} onChange=${change('machineDetection')}>${DETECTION.map(([key, text]) => html`<option value=${key} key=${key}>${text}</option>`)}</select>`}<//>
      <${Field} id="voicemail" label="Voicemail message" optional errors=${errors.voicemailMessage}>${(aria) => html`<textarea ...${aria} rows="2" value=${form.voicemailMessage} onInput=${change('voicemailMessage')}></textarea>`}<//>
      <fieldset class="ticks"><legend>Recording</legend><label><input type="checkbox" checked=${form.record} onChange=${(event) => set({ ...form, record: event.target.checked })} /> record the call; who is recorded has to agree</label>
        ${errors.record && html`<p class="fault">${errors.record[0]}</p>`}</fieldset>
      <${Field} id="metadata" label="Metadata" optional hint="A JSON object, returned as sent." errors=${errors.metadata}>${(aria) => html`<textarea ...${aria} rows="2" class="code" placeholder='{"campaign": "Q4"}' value=${form.metadata} onInput=${change('metadata')}></textarea>`}<//>
    </details>`;
}

const LatestStart = ({ form, set, errors }) =>
  html`<${Field} id="latest" label="Latest start" optional errors=${errors.notAfter} hint="After this it fails and never rings.">${(aria) => html`<input ...${aria} type="datetime-local" value=${form.notAfter} onInput=${(event) => set({ ...form, notAfter: event.target.value })} />`}<//>`;

/** Sends a form; the same form is carried out once, however often it is sent. */
function useSending(send) {
  const [state, set] = useState({ busy: false, errors: {}, message: null });
  const key = useRef(null);
  const go = async (event) => {
    event.preventDefault();
    if (state.busy) return;
    const form = event.target;
    set({ busy: true, errors: {}, message: null });
    try {
      await send((path, body) => {
        const text = path + JSON.stringify(body);
        if (!key.current || key.current.text !== text) key.current = { text, value: fresh_key() };
        return post(path, body, { 'Idempotency-Key': key.current.value });
      });
      key.current = null;
      set({ busy: false, errors: {}, message: null });
    } catch (error) {
      set({ busy: false, errors: error.errors || {}, message: error.message });
      // To the first field that is wrong.
      setTimeout(() => form.querySelector('[aria-invalid]')?.focus());
    }
    touched();
  };
  return { ...state, go };
}

const Said = ({ message }) =>
  message &&
  html`<div class="notice error" role="alert"><${Icon} name="circle-alert" /><div>${message}</div></div>`;

/** After a call was accepted: where it is, and the way back. */
function tell(answer, what, at_once) {
  say(what, {
    topic: answer.jobId,
    link: { href: `#/call/${answer.jobId}`, label: `Call ${answer.jobId}` },
    undo: !at_once && {
      label: 'Cancel it',
      run: async () => {
        await call('DELETE', job_path(answer.jobId));
        say(`Call ${answer.jobId} is cancelled.`, { topic: answer.jobId });
        touched();
      },
    },
  });
}

function Now() {
  const [form, set] = useState(blank());
  const { shown } = useCell(overview);
  const sending = useSending(async (send) => {
    const answer = await send('api/queue/schedule-call', body_of(form));
    const at_once = shown && !shown.paused && !shown.stats.waiting;
    tell(answer, `The call to ${masked(answer.data.to)} is queued.`, at_once);
    set(blank());
  });
  return html`<form class="card form" onSubmit=${sending.go} noValidate><${Said} message=${sending.message} />
    <${CallFields} form=${form} set=${set} errors=${sending.errors} />
    <${LatestStart} form=${form} set=${set} errors=${sending.errors} />
    <div class="row end"><span class="faint">${shown && (shown.paused ? 'The queue is paused: it waits until somebody resumes.' : shown.stats.waiting ? `It joins ${shown.stats.waiting} waiting.` : 'It is dialed at once.')}</span><button class="primary" disabled=${sending.busy}><${Icon} name="phone" />Place the call</button></div></form>`;
}

/** The time in a control, as an ISO time. Throws an error of its field. */
function instant(name, text) {
  try {
    return from_wall(text);
  } catch (error) {
    throw Object.assign(error, { errors: { [name]: [error.message] } });
  }
}

function instant_or_null(text) {
  try {
    return from_wall(text);
  } catch {
    return null;
  }
}

function Later() {
  const [form, set] = useState(blank());
  const [at, set_at] = useState(() => to_wall(now() + 3_600_000));
  const when = instant_or_null(at);
  const sending = useSending(async (send) => {
    const answer = await send('api/queue/schedule-delayed-call', {
      scheduleAt: instant('scheduleAt', at),
      ...body_of(form),
    });
    tell(
      answer,
      `The call to ${masked(answer.data.to)} is scheduled for ${moment(answer.scheduledFor)}.`,
    );
    set(blank());
  });
  return html`<form class="card form" onSubmit=${sending.go} noValidate><${Said} message=${sending.message} />
    <${Field} id="at" label="When" errors=${sending.errors.scheduleAt} hint=${`Your time zone: ${ZONE}`}>${(aria) => html`<input ...${aria} type="datetime-local" required value=${at} onInput=${(event) => set_at(event.target.value)} />`}<//>
    ${when && html`<p class="preview" role="status"><${Icon} name="calendar-clock" /><span><strong>${whole(when)}</strong><br /><span class="faint">${distance(when)} · ${when.slice(0, 16).replace('T', ' ')} UTC</span></span></p>`}
    <${CallFields} form=${form} set=${set} errors=${sending.errors} />
    <${LatestStart} form=${form} set=${set} errors=${sending.errors} />
    <div class="row end"><button class="primary" disabled=${sending.busy}><${Icon} name="calendar-clock" />Schedule the call</button></div></form>`;
}

const PATTERNS = [
  ['0 9 * * *', 'Every day at 9'],
  ['0 9 * * 1-5', 'Working days at 9'],
  ['0 9 * * 1', 'Mondays at 9'],
  ['0 * * * *', 'Every hour'],
  ['0 9 1 * *', 'First of the month'],
];
const TYPING_MS = 250;

/** The next runs of a pattern, as the server reckons them. */
function usePreview(cronExpression, timezone) {
  const [state, set] = useState({ value: null, error: null });
  useEffect(() => {
    let current = true;
    const timer = setTimeout(
      () =>
        post('api/queue/schedule-recurring-call/preview', {
          cronExpression,
          timezone,
          count: 5,
        }).then(
          (value) => current && set({ value, error: null }),
          (error) => current && set({ value: null, error }),
        ),
      TYPING_MS,
    );
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [cronExpression, timezone]);
  return state;
}

const wall = (text) =>
  new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'full',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(new Date(`${text.slice(0, 19)}Z`));

/** What is wrong with a pattern or its zone, without the field's name. */
const pattern_fault = (error) => Object.values(error.errors || {}).flat()[0] || error.message;

function Runs({ preview }) {
  const { value, error } = preview;
  return html`<section class="preview runs-ahead" aria-live="polite" aria-label="Next runs"><${Icon} name="repeat" /><div>
    ${
      error
        ? html`<strong class="fault">${pattern_fault(error)}</strong>`
        : !value
          ? 'Reckoning …'
          : html`<strong>${value.description}</strong>
      <ol class="runs">${value.runs.map((run) => html`<li key=${run.utc}>${wall(run.local)} <span class="faint">${run.utc.slice(11, 16)} UTC</span></li>`)}</ol>
      ${value.clockChanges.map((change) => html`<p class="faint" key=${change.utc}>The clock goes from ${change.from.slice(11, 16)} to ${change.to.slice(11, 16)} on ${change.to.slice(0, 10)}.</p>`)}`
    }
  </div></section>`;
}

function Recurring() {
  const [form, set] = useState(blank());
  const [when, set_when] = useState({
    cronExpression: '0 9 * * 1-5',
    timezone: ZONE,
    startAt: '',
    endAt: '',
    maxRuns: '',
    overlap: 'skip',
  });
  const change = (name) => (event) => set_when({ ...when, [name]: event.target.value });
  const preview = usePreview(when.cronExpression, when.timezone);
  const sending = useSending(async (send) => {
    const body = {
      ...body_of(form),
      cronExpression: when.cronExpression,
      timezone: when.timezone,
      overlap: when.overlap,
    };
    for (const name of ['startAt', 'endAt']) if (when[name]) body[name] = instant(name, when[name]);
    if (when.maxRuns) body.maxRuns = Number(when.maxRuns);
    const answer = await send('api/queue/schedule-recurring-call', body);
    const stop = async () => {
      await call('DELETE', job_path(answer.jobId));
      say(`${answer.jobId} is stopped.`);
      touched();
    };
    // The same number, pattern and zone updated an existing call: stopping that would not undo it.
    const made = await call('GET', job_path(answer.jobId)).catch(() => null);
    const fresh = made && made.createdAt === made.updatedAt;
    say(
      fresh
        ? `${answer.message}.`
        : `${answer.jobId} has this number, pattern and zone already: the rest of it is changed.`,
      {
        link: { href: `#/recurring/${answer.jobId.split(':')[1]}`, label: 'Look' },
        undo: fresh ? { run: stop } : undefined,
      },
    );
    set(blank());
  });
  return html`<form class="card form" onSubmit=${sending.go} noValidate><${Said} message=${sending.message} />
    <div class="pair"><${Field} id="cron" label="Pattern" errors=${sending.errors.cronExpression} hint="Minute, hour, day, month, weekday.">${(aria) => html`<input ...${aria} class="code" required autocomplete="off" value=${when.cronExpression} onInput=${change('cronExpression')} />`}<//>
    <${Field} id="zone" label="Time zone" errors=${sending.errors.timezone}>${(aria) => html`<input ...${aria} list="zones" autocomplete="off" value=${when.timezone} onInput=${change('timezone')} /><datalist id="zones">${ZONES.map((zone) => html`<option value=${zone} key=${zone} />`)}</datalist>`}<//></div>
    <div class="chips" role="group" aria-label="Common patterns">${PATTERNS.map(([pattern, text]) => html`<button type="button" key=${pattern} class="chip" aria-pressed=${pattern === when.cronExpression} onClick=${() => set_when({ ...when, cronExpression: pattern })}>${text}</button>`)}</div>
    <${Runs} preview=${preview} />
    <${CallFields} form=${form} set=${set} errors=${sending.errors} recurring />
    <details class="more"><summary>Beginning, end and overlap</summary>
      <div class="pair"><${Field} id="start" label="Not before" optional errors=${sending.errors.startAt}>${(aria) => html`<input ...${aria} type="datetime-local" value=${when.startAt} onInput=${change('startAt')} />`}<//>
      <${Field} id="end" label="Not after" optional errors=${sending.errors.endAt}>${(aria) => html`<input ...${aria} type="datetime-local" value=${when.endAt} onInput=${change('endAt')} />`}<//></div>
      <div class="pair"><${Field} id="runs" label="Runs in all" optional errors=${sending.errors.maxRuns}>${(aria) => html`<input ...${aria} type="number" min="1" value=${when.maxRuns} onInput=${change('maxRuns')} />`}<//>
      <${Choice} name="overlap" label="While the one before has not ended" options=${[
        ['skip', 'Leave it out'],
        ['queue', 'Queue it too'],
      ]} value=${when.overlap} set=${(overlap) => set_when({ ...when, overlap })} /></div></details>
    <div class="row end"><button class="primary" disabled=${sending.busy || Boolean(preview.error)}><${Icon} name="repeat" />Create recurring call</button></div></form>`;
}

const BODIES = { now: Now, later: Later, recurring: Recurring, file: FilePage };

export function PlacePage({ tab }) {
  const Body = BODIES[tab] || Now;
  return html`<header class="page"><h1 tabindex="-1">Place calls</h1></header>
    <nav class="tabs" aria-label="Ways to place calls">${TABS.map(([key, name, icon]) => html`<a key=${key} href=${`#/place/${key}`} aria-current=${key === tab ? 'page' : undefined}><${Icon} name=${icon} />${name}</a>`)}</nav>
    <${Body} key=${tab} />`;
}
