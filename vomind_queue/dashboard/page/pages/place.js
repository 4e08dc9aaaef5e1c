// Place a call: now, later, again and again, or many from a file.
import { now } from '../api.js';
import { html, useState } from '../html.js';
import { overview } from '../live.js';
import { Field, Icon } from '../parts.js';
import { emptied, useCell } from '../state.js';
import { distance, masked, moment, whole } from '../words.js';
import { from_wall, to_wall, ZONE } from '../zone.js';
import { NewList } from './upload.js';
import { blank, body_of, CallFields, instant, LatestStart } from './place_fields.js';
import { Recurring } from './place_recurring.js';
import { Said, tell, useSending } from './place_sending.js';

const TABS = [
  ['now', 'Call now', 'phone'],
  ['later', 'Later', 'calendar-clock'],
  ['recurring', 'Recurring', 'repeat'],
  ['file', 'From a file', 'file-spreadsheet'],
];
function Now() {
  const [form, set] = useState(blank());
  const { shown } = useCell(overview);
  const sending = useSending(async (send) => {
    const answer = await send('api/queue/schedule-call', body_of(form));
    const at_once = shown && !shown.paused && !shown.stats.waiting;
    tell(answer, `The call to ${masked(answer.data.to)} is queued.`, at_once);
    set(emptied(blank(), form));
  });
  return html`<form class="card form" onSubmit=${sending.go} noValidate><${Said} message=${sending.message} />
    <${CallFields} form=${form} set=${set} errors=${sending.errors} />
    <${LatestStart} form=${form} set=${set} errors=${sending.errors} />
    <div class="row end"><span class="faint">${shown && (shown.paused ? 'The queue is paused: it waits until somebody resumes.' : shown.stats.waiting ? `It joins ${shown.stats.waiting} waiting.` : 'It is dialed at once.')}</span><button class="primary" disabled=${sending.busy}><${Icon} name="phone" />Place the call</button></div></form>`;
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
    set(emptied(blank(), form));
  });
  return html`<form class="card form" onSubmit=${sending.go} noValidate><${Said} message=${sending.message} />
    <${Field} id="at" label="When" errors=${sending.errors.scheduleAt} hint=${`Your time zone: ${ZONE}`}>${(aria) => html`<input ...${aria} type="datetime-local" required value=${at} onInput=${(event) => set_at(event.target.value)} />`}<//>
    ${when && html`<p class="preview" role="status"><${Icon} name="calendar-clock" /><span><strong>${whole(when)}</strong><br /><span class="faint">${distance(when)} · ${when.slice(0, 16).replace('T', ' ')} UTC</span></span></p>`}
    <${CallFields} form=${form} set=${set} errors=${sending.errors} />
    <${LatestStart} form=${form} set=${set} errors=${sending.errors} />
    <div class="row end"><button class="primary" disabled=${sending.busy}><${Icon} name="calendar-clock" />Schedule the call</button></div></form>`;
}

const BODIES = { now: Now, later: Later, recurring: Recurring, file: NewList };

export function PlacePage({ tab }) {
  const Body = BODIES[tab] || Now;
  return html`<header class="page"><h1 tabindex="-1">Place calls</h1></header>
    <nav class="tabs" aria-label="Ways to place calls">${TABS.map(([key, name, icon]) => html`<a key=${key} href=${`#/place/${key}`} aria-current=${key === tab ? 'page' : undefined}><${Icon} name=${icon} />${name}</a>`)}</nav>
    <${Body} key=${tab} />`;
}
