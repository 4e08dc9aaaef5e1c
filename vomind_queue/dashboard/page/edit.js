// A call that is changed, or placed once more, perhaps to another number.
import { call, fresh_key, job_path, now, post } from './api.js';
import { html } from './html.js';
import { touched } from './live.js';
import { Choice, confirm, Field, say } from './parts.js';
import { Runs, usePreview } from './runs.js';
import { masked, moment } from './words.js';
import { from_wall, to_wall, ZONE } from './zone.js';

const PRIORITIES = [
  ['high', 'High'],
  ['normal', 'Normal'],
  ['low', 'Low'],
];
const AS_IT_IS = ['', 'As it is'];
const NOW = ['now', 'Now'];
const AT = ['at', 'At a time'];

/** The body of a request for the same call, from what the API says of it. */
export function body_of({ toGiven, message, ...data }) {
  // The application at twimlUrl says what is spoken.
  return data.twimlUrl ? data : { ...data, message };
}

/** Number, message and priority of a call, and when it is to be placed. */
function Fields({ choice, choose, whens, spoken }) {
  const errors = choice.errors || {};
  const set = (name) => (event) =>
    choose({ ...choice, errors: {}, fault: null, [name]: event.target.value });
  return html`${choice.fault && html`<div class="notice error" role="alert"><div>${choice.fault}</div></div>`}
    <${Field} id="e-to" label="Number" errors=${errors.to}>${(aria) => html`<input ...${aria} type="tel" autocomplete="off" value=${choice.to} onInput=${set('to')} />`}<//>
    ${spoken && html`<${Field} id="e-message" label="Message" errors=${errors.message}>${(aria) => html`<textarea ...${aria} rows="3" maxlength="3000" value=${choice.message} onInput=${set('message')}></textarea>`}<//>`}
    <${Choice} name="e-priority" label="Priority" options=${PRIORITIES} value=${choice.priority} set=${(priority) => choose({ ...choice, priority })} />
    ${whens && html`<${Choice} name="e-when" label="When" options=${whens} value=${choice.when} set=${(when) => choose({ ...choice, when })} />`}
    ${choice.when === 'at' && html`<${Field} id="e-at" label="Day and time" hint=${`In ${ZONE}.`} errors=${errors.scheduleAt}>${(aria) => html`<input ...${aria} type="datetime-local" value=${choice.at} onInput=${set('at')} />`}<//>`}`;
}

function instant(text) {
  try {
    return from_wall(text);
  } catch (error) {
    throw Object.assign(error, { errors: { scheduleAt: [error.message] } });
  }
}

const first = (data, when) => ({
  to: data.to,
  message: data.message,
  priority: data.priority,
  when,
  at: to_wall(now() + 3_600_000),
});

const squeezed = (number) => number.replace(/[\s().-]/g, '');

/** What was changed in the form, by the names of the API. */
function changes_in(choice, data) {
  const found = { to: squeezed(choice.to), priority: choice.priority };
  if (!data.twimlUrl) found.message = choice.message;
  const changed = Object.entries(found).filter(([name, value]) => value !== data[name]);
  return Object.fromEntries(changed);
}

/** Changes a call that has not begun. */
export function edit(job) {
  const spoken = !job.data.twimlUrl;
  const due = job.scheduledFor && new Date(job.scheduledFor).getTime();
  confirm({
    title: `Change call ${job.jobId}`,
    touches: (asked) =>
      html`<${Fields} ...${asked} spoken=${spoken} whens=${[AS_IT_IS, NOW, AT]} />`,
    first: { ...first(job.data, ''), ...(due > now() && { at: to_wall(due) }) },
    after: due ? `It is due ${moment(job.scheduledFor)}.` : undefined,
    yes: 'Change it',
    no: 'Leave it',
    stays: true,
    run: async (choice) => {
      const body = changes_in(choice, job.data);
      if (choice.when === 'now') body.delayMs = 0;
      if (choice.when === 'at') body.scheduleAt = instant(choice.at);
      if (!Object.keys(body).length) return;
      await call('PATCH', job_path(job.jobId), body);
      say(`Call ${job.jobId} is changed.`, { topic: job.jobId });
      await touched();
    },
  });
}

/** Requests that were sent, so that the same one again is carried out once. */
function sender() {
  const keys = new Map();
  return (path, body) => {
    const text = path + JSON.stringify(body);
    if (!keys.has(text)) keys.set(text, fresh_key());
    return post(path, body, { 'Idempotency-Key': keys.get(text) });
  };
}

function placed(answer) {
  say(`The call to ${masked(answer.data.to)} is queued again.`, {
    link: { href: `#/call/${encodeURIComponent(answer.jobId)}`, label: `Call ${answer.jobId}` },
  });
  return touched();
}

function again_after(job, late) {
  if (job.options === null)
    return 'A new call. An older version logged this one without its retries, language and other options.';
  return `A new call, with the retries, language and other options of the old one${late ? ', but not its end (notAfter), which is past' : ''}.`;
}

/** Places a call that has ended once more, as it was or with another number, message or time. */
export function again(job) {
  const send = sender();
  const data = body_of(job.data);
  const late = data.notAfter && new Date(data.notAfter) <= now();
  if (late) delete data.notAfter;
  confirm({
    title: `Call again as in call ${job.jobId}?`,
    touches: (asked) =>
      html`<${Fields} ...${asked} spoken=${!job.data.twimlUrl} whens=${[NOW, AT]} />`,
    first: first(job.data, 'now'),
    after: again_after(job, late),
    yes: 'Call again',
    no: 'Leave it',
    stays: true,
    run: async (choice) => {
      const body = { ...data, ...changes_in(choice, job.data) };
      const later = choice.when === 'at' && { scheduleAt: instant(choice.at) };
      const path = later ? 'schedule-delayed-call' : 'schedule-call';
      await placed(await send(`api/queue/${path}`, { ...body, ...later }));
    },
  });
}

// ---- Recurring calls ---------------------------------------------------------------------

/** Places one call as a recurring call places them; its runs stay as they are. */
export function run_now(job) {
  const send = sender();
  confirm({
    title: `Run ${job.jobId} once now?`,
    touches: `The phone ${masked(job.data.to)} rings when its turn comes. The next runs stay as they are.`,
    yes: 'Run it now',
    no: 'Leave it',
    run: async () => placed(await send('api/queue/schedule-call', body_of(job.data))),
  });
}

function Pattern({ choice, choose, spoken }) {
  const errors = choice.errors || {};
  const preview = usePreview(choice.cronExpression, choice.timezone);
  const set = (name) => (event) => choose({ ...choice, errors: {}, [name]: event.target.value });
  return html`<${Field} id="e-cron" label="Pattern" hint="Minute, hour, day, month, weekday." errors=${errors.cronExpression}>${(aria) => html`<input ...${aria} class="code" autocomplete="off" value=${choice.cronExpression} onInput=${set('cronExpression')} />`}<//>
    <${Field} id="e-zone" label="Time zone" errors=${errors.timezone}>${(aria) => html`<input ...${aria} autocomplete="off" value=${choice.timezone} onInput=${set('timezone')} />`}<//>
    <${Runs} preview=${preview} />
    <${Fields} choice=${choice} choose=${choose} spoken=${spoken} />`;
}

export function edit_recurring(job) {
  const timing = { cronExpression: job.cronExpression, timezone: job.timezone };
  confirm({
    title: `Change ${job.jobId}`,
    touches: (asked) => html`<${Pattern} ...${asked} spoken=${!job.data.twimlUrl} />`,
    first: { ...first(job.data, ''), ...timing },
    yes: 'Change it',
    no: 'Leave it',
    stays: true,
    run: async (choice) => {
      const body = changes_in(choice, job.data);
      for (const name of Object.keys(timing))
        if (choice[name] !== timing[name]) body[name] = choice[name];
      if (!Object.keys(body).length) return;
      await call('PATCH', job_path(job.jobId), body);
      say(`${job.jobId} is changed.`, { topic: job.jobId });
      await touched();
    },
  });
}
