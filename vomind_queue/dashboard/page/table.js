// Calls in a table: whole rows open a call, boxes select calls, keys move among them.
import * as actions from './actions.js';
import { again } from './edit.js';
import { html, useLayoutEffect, useRef } from './html.js';
import { Icon, Phone, Pill, Stage, Time, Urgency, When } from './parts.js';
import { SelectAll } from './selection.js';
import { brief, duration, is_on_the_line, outcome, plain } from './words.js';

const TIMES = {
  waiting: ['Since', 'created'],
  delayed: ['Due', 'due'],
  active: ['Started', 'started'],
  completed: ['Placed', 'finished'],
  failed: ['Given up', 'finished'],
  cancelled: ['Cancelled', 'finished'],
};
/** What the last column tells in the list of one state. */
const LAST = {
  waiting: 'Message',
  delayed: 'Message, or why delayed',
  active: 'On the line',
  completed: 'On the line',
  failed: 'Why',
  cancelled: 'Message',
};
const OUTCOME_FIRST = ['completed', 'active'];

const Cut = ({ text, faint = true }) =>
  html`<span class=${`cut ${faint ? 'faint' : ''}`} title=${text}>${faint ? (text ?? '–') : brief(text)}</span>`;

function Last({ each, state }) {
  if (each.reconciled)
    return html`<${Pill} tone="amber">No clear answer<//> <span class="faint">checked until <${Time} at=${each.reconciled} /></span>`;
  if (each.reason && ['failed', 'delayed'].includes(each.state))
    return html`<${Cut} text=${each.reason} faint=${false} />`;
  const talked = each.call && each.call.duration ? duration(each.call.duration * 1000) : null;
  if (!OUTCOME_FIRST.includes(state))
    return html`<${Cut} text=${[talked, each.message].filter(Boolean).join(' · ') || null} />`;
  const said = outcome(each.call);
  return html`<span class="said">${said ? html`<${Pill} tone=${said.tone}>${said.name}<//>` : ''}<${Cut} text=${[talked, each.message].filter(Boolean).join(' · ') || null} /></span>`;
}

function Act({ job }) {
  const [name, icon, run] =
    job.state === 'failed'
      ? ['Retry', 'rotate-ccw', actions.retry]
      : ['waiting', 'delayed'].includes(job.state)
        ? ['Cancel', 'x', actions.cancel]
        : is_on_the_line(job)
          ? ['Hang up', 'phone-off', actions.hang_up]
          : ['completed', 'cancelled'].includes(job.state)
            ? ['Call again', 'phone-outgoing', again]
            : [];
  if (!name) return null;
  return html`<button type="button" class="small" aria-label=${`${name} call ${job.jobId}`} onClick=${() => run(job)}><${Icon} name=${icon} />${name}</button>`;
}

/** A row of the call log in the shape of a job of the queue; what was blanked there has no data. */
export function job_of(call) {
  if (call.data || !call.to) return call;
  const { to, message, lead_id, priority, metadata, options } = call;
  const data = { to, message, lead_id, priority, metadata, ...options };
  return { ...call, data };
}

/** A click anywhere in a row opens its call, but not one on a control, nor one that selects text. */
function opens(event, id) {
  if (event.target.closest('a, button, input, label') || `${getSelection()}`) return;
  if (event.ctrlKey || event.metaKey) open(`#/call/${encodeURIComponent(id)}`);
  else location.hash = `#/call/${encodeURIComponent(id)}`;
}

function Row({ job, state, time, field, last, selected, pick }) {
  const each = plain(job);
  return html`<tr tabindex="-1" class=${selected ? 'on' : ''} onClick=${(event) => opens(event, each.id)}>
    <td class="pick"><label><input type="checkbox" aria-label=${`Select call ${each.id}`} checked=${selected} onClick=${(event) => pick(event.shiftKey)} /></label></td>
    <td data-name="Call"><a class="id" href=${`#/call/${encodeURIComponent(each.id)}`}>${each.id}</a></td>
    ${!state && html`<td data-name="State"><${Stage} call=${each} state=${each.state} /></td>`}
    <td data-name="Number"><${Phone} number=${each.to} /></td>
    <td data-name="Lead"><span class="cut short">${each.lead ?? html`<span class="faint">–</span>`}</span></td>
    <td data-name="Priority"><${Urgency} priority=${each.priority} /></td>
    <td data-name=${time}><${When} at=${each[field] || each.created} /></td>
    <td data-name=${last} class="grow"><${Last} each=${each} state=${state} /></td>
    <td class="acts">${job.data && html`<${Act} job=${job} />`}</td></tr>`;
}

const typing = (target) =>
  /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== 'checkbox';

/** j and k move from row to row, x selects a row, o and Enter open it. */
function useRowKeys(box) {
  // Before the browser paints: who sees the rows may press keys at once.
  useLayoutEffect(() => {
    const pressed = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
      if (document.querySelector('dialog[open]')) return;
      const rows = [...box.current.querySelectorAll('tbody tr')];
      const at = rows.indexOf(document.activeElement.closest('tbody tr'));
      const step = { j: 1, k: -1 }[event.key];
      if (step) rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
      else if (event.key.toLowerCase() === 'x')
        rows[at]
          ?.querySelector('.pick input')
          .dispatchEvent(new MouseEvent('click', { bubbles: true, shiftKey: event.shiftKey }));
      else if (event.key === 'o' || (event.key === 'Enter' && event.target === rows[at]))
        rows[at]?.querySelector('a.id').click();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

/** Calls in a table; on a phone each is a card. `state`: the state that all of them are in. */
export function Table({ caption, calls, state, selection }) {
  const box = useRef(null);
  const jobs = calls.map(job_of);
  useRowKeys(box);
  const [time, field] = TIMES[state] || ['Accepted', 'created'];
  const last = LAST[state] || 'Message, or why';
  return html`<div class="table-box" ref=${box}><table class="calls open"><caption class="hidden">${caption}</caption>
    <thead><tr><th scope="col" class="pick"><${SelectAll} selection=${selection} jobs=${jobs} /></th><th scope="col">Call</th>${!state && html`<th scope="col">State</th>`}<th scope="col">Number</th><th scope="col">Lead</th><th scope="col">Priority</th><th scope="col">${time}</th><th scope="col">${last}</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
    <tbody>${jobs.map((job, at) => html`<${Row} key=${`${job.jobId} ${job.createdAt}`} job=${job} state=${state} time=${time} field=${field} last=${last} selected=${selection.chosen.has(job.jobId)} pick=${(shift) => selection.pick(jobs, at, shift)} />`)}</tbody></table></div>`;
}
