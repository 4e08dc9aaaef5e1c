// The form of a recurring call, with its next runs.
import { call, job_path } from '../api.js';
import { html, useState } from '../html.js';
import { touched } from '../live.js';
import { Choice, Field, Icon, say } from '../parts.js';
import { Runs, usePreview } from '../runs.js';
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
