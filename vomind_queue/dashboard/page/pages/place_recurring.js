// The form of a recurring call, with its next runs.
import { call, job_path, post } from '../api.js';
import { html, useEffect, useState } from '../html.js';
import { touched } from '../live.js';
import { Choice, Field, Icon, say } from '../parts.js';
import { emptied } from '../state.js';
import { ZONE, ZONES } from '../zone.js';
import { blank, body_of, CallFields, instant } from './place_fields.js';
import { Said, useSending } from './place_sending.js';

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

export function Recurring() {
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
    set(emptied(blank(), form));
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
