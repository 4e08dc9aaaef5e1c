// The lists: each state's calls, and what the call log finds.
import { get } from '../api.js';
import * as actions from '../actions.js';
import { html, useEffect, useState } from '../html.js';
import { overview, useLive } from '../live.js';
import {
  Badge,
  Empty,
  Failure,
  Icon,
  Loading,
  Pager,
  Phone,
  Pill,
  Time,
  Urgency,
} from '../parts.js';
import { useCell } from '../state.js';
import { count, is_on_the_line, many, outcome, plain, STATES } from '../words.js';

const ON_PAGE = 25;
export const LISTED = ['waiting', 'active', 'delayed', 'completed', 'failed', 'cancelled'];
const NOTES = {
  waiting: 'In the order in which they will be dialed.',
  delayed: 'Soonest first: scheduled, or between two attempts.',
  active: 'Being dialed, or waiting for Twilio’s confirmation.',
  completed: 'Newest first.',
  failed: 'Failed after all attempts. Newest first.',
  cancelled: 'Taken out before they rang, as the call log tells it.',
};
const TIMES = {
  waiting: ['Since', 'created'],
  delayed: ['Due', 'due'],
  active: ['Started', 'started'],
  completed: ['Placed', 'finished'],
  failed: ['Given up', 'finished'],
  cancelled: ['Cancelled', 'finished'],
};

/** What the last column of a list tells. */
const LAST = { waiting: 'Message', delayed: 'Message, or why delayed', failed: 'Why' };

function Last({ each }) {
  const said = outcome(each.call);
  if (each.state === 'failed' || (each.state === 'delayed' && each.reason))
    return html`<span class="cut" title=${each.reason}>${each.reason}</span>`;
  if (['waiting', 'delayed'].includes(each.state))
    return html`<span class="cut faint" title=${each.message}>${each.message}</span>`;
  if (each.reconciled)
    return html`<${Pill} tone="amber">No clear answer<//> <span class="faint">checked until <${Time} at=${each.reconciled} /></span>`;
  return said
    ? html`<${Pill} tone=${said.tone}>${said.name}<//>`
    : html`<span class="faint">–</span>`;
}

function Act({ job }) {
  if (['waiting', 'delayed'].includes(job.state))
    return html`<button type="button" class="small" aria-label=${`Cancel call ${job.jobId}`} onClick=${() => actions.cancel(job)}><${Icon} name="x" />Cancel</button>`;
  if (job.state === 'failed')
    return html`<button type="button" class="small" aria-label=${`Retry call ${job.jobId}`} onClick=${() => actions.retry(job)}><${Icon} name="rotate-ccw" />Retry</button>`;
  if (is_on_the_line(job))
    return html`<button type="button" class="small" aria-label=${`Hang up call ${job.jobId}`} onClick=${() => actions.hang_up(job)}><${Icon} name="phone-off" />Hang up</button>`;
  return null;
}

/** Calls in a table; on a phone each is a card. */
export function Table({ caption, jobs, state }) {
  const [name, field] = TIMES[state] || ['Accepted', 'created'];
  const last = LAST[state] || 'On the line';
  return html`<div class="table-box"><table class="calls"><caption class="hidden">${caption}</caption>
    <thead><tr><th scope="col">Call</th>${!state && html`<th scope="col">State</th>`}<th scope="col">Number</th><th scope="col">Lead</th><th scope="col">Priority</th><th scope="col">${name}</th><th scope="col">${last}</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
    <tbody>${jobs.map((job) => {
      const each = plain(job);
      return html`<tr key=${each.id}>
      <td data-name="Call"><a class="id" href=${`#/call/${each.id}`}>${each.id}</a></td>
      ${!state && html`<td data-name="State"><${Badge} state=${each.state} /></td>`}
      <td data-name="Number"><${Phone} number=${each.to} /></td>
      <td data-name="Lead">${each.lead === undefined || each.lead === null ? html`<span class="faint">–</span>` : html`<span class="cut short">${each.lead}</span>`}</td>
      <td data-name="Priority"><${Urgency} priority=${each.priority} /></td>
      <td data-name=${name}><${Time} at=${each[field] || each.created} far=${state === 'delayed'} /></td>
      <td data-name=${last} class="grow"><${Last} each=${each} /></td>
      <td class="acts">${job.data && html`<${Act} job=${job} />`}</td></tr>`;
    })}</tbody></table></div>`;
}

function Why() {
  const { value, again } = useLive(() => get('api/queue/failed/reasons'), []);
  if (!value || !value.reasons.length) return null;
  return html`<section class="card tight" aria-label="Why they failed"><header><h2>Why they failed</h2><span class="faint">${many(value.count, 'reason')}</span></header>
    <ul class="kinds">${value.reasons.map(
      (
        each,
      ) => html`<li key=${each.kind}><span class="number">${count(each.count)}</span><span class="cut" title=${each.example}>${each.example}</span>
      <button type="button" class="small" aria-label=${`Retry all ${each.count} of ${each.kind}`} onClick=${() => actions.retry_all(each, again)}><${Icon} name="rotate-ccw" />Retry all</button></li>`,
    )}</ul></section>`;
}

function Listed({ state, page }) {
  const path = `api/queue/${state}?start=${page * ON_PAGE}&end=${(page + 1) * ON_PAGE - 1}`;
  const { value, error, again } = useLive(() => get(path), [path]);
  if (!value)
    return error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`;
  if (!value.total)
    return html`<${Empty} icon=${STATES[state].icon} title=${`No call is ${STATES[state].name.toLowerCase()}.`} />`;
  return html`${state === 'failed' && html`<${Why} />`}<${Table} caption=${`${STATES[state].name} calls`} jobs=${value.jobs} state=${state} /><${Pager} path=${`#/calls/${state}`} page=${page} size=${ON_PAGE} total=${value.total} />`;
}

/** Queries of the call log that a search may mean: a number, a call's id, a lead. */
export function meanings(text) {
  const squeezed = text.replace(/[\s().-]/g, '');
  if (/^\+[0-9]{7,15}$/.test(squeezed)) return [['number', squeezed]];
  return [
    ['jobId', text],
    ['lead_id', text],
    ...(/^[0-9]{7,15}$/.test(squeezed) ? [['number', `+${squeezed}`]] : []),
  ];
}

async function find(text, state, cursors) {
  const queries = text ? meanings(text) : [['state', state]];
  const answers = await Promise.all(
    queries.map(async ([name, value], at) => {
      if (cursors && !cursors[at]) return { calls: [], next: null };
      const query = new URLSearchParams({ [name]: value, limit: String(ON_PAGE) });
      if (cursors) query.set('cursor', cursors[at]);
      return get(`api/calls?${query}`);
    }),
  );
  const seen = new Map(
    answers.flatMap((answer) => answer.calls).map((call) => [call.jobId + call.createdAt, call]),
  );
  return {
    calls: [...seen.values()].sort((one, other) => other.createdAt.localeCompare(one.createdAt)),
    cursors: answers.map((answer) => answer.next),
  };
}

function Found({ text, state }) {
  const { value, error, again } = useLive(() => find(text, state), [text, state]);
  const [further, set] = useState({ calls: [], cursors: null });
  useEffect(() => set({ calls: [], cursors: null }), [text, state]);
  if (!value)
    return error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`;
  const calls = [...value.calls, ...further.calls];
  const cursors = further.cursors || value.cursors;
  const more = async () => {
    const answer = await find(text, state, cursors);
    set({ calls: [...further.calls, ...answer.calls], cursors: answer.cursors });
  };
  if (!calls.length)
    return html`<${Empty} icon="search" title=${text ? 'No call matches.' : 'No call was cancelled.'}>${text && html`<p class="faint">Give a whole number with its country code, a lead exactly as it was sent, or a call's id.</p>`}<//>`;
  return html`<${Table} caption=${text ? `Calls that match ${text}` : 'Cancelled calls'} jobs=${calls} state=${text ? null : state} />
    ${cursors.some(Boolean) && html`<p class="more"><button type="button" onClick=${more}>Show more</button></p>`}`;
}

export function Search({ text, then }) {
  const [typed, type] = useState(text);
  useEffect(() => type(text), [text]);
  return html`<form class="search" role="search" onSubmit=${(event) => {
    event.preventDefault();
    then(typed.trim());
  }}>
    <${Icon} name="search" /><input id="search" type="search" aria-label="Search by number, lead or call id" placeholder="Number, lead or call id" value=${typed} onInput=${(event) => type(event.target.value)} />
    <button>Search</button></form>`;
}

export function CallsPage({ state, query }) {
  const { shown } = useCell(overview);
  const text = query.get('q') || '';
  const page = Math.max(0, Number.parseInt(query.get('page') || '0', 10) || 0);
  const go = (wanted) => {
    location.hash = wanted
      ? `#/calls/${state}?q=${encodeURIComponent(wanted)}`
      : `#/calls/${state}`;
  };
  return html`<header class="page"><h1 tabindex="-1">${text ? 'Search' : `${STATES[state].name} calls`}</h1>
      <div class="acts">${['completed', 'failed'].includes(state) && !text && html`<button type="button" onClick=${actions.clean}><${Icon} name="trash-2" />Delete finished calls</button>`}<${Search} text=${text} then=${go} /></div></header>
    <nav class="tabs" aria-label="States">${LISTED.map((each) => html`<a key=${each} href=${`#/calls/${each}`} aria-current=${each === state && !text ? 'page' : undefined}>${STATES[each].name}${shown && each in shown.stats && html` <span class="number">${count(shown.stats[each])}</span>`}</a>`)}</nav>
    <p class="faint lead">${text ? html`Everything that the call log knows of “${text}”. <a href=${`#/calls/${state}`}>Back to the list</a>` : NOTES[state]}</p>
    ${text || state === 'cancelled' ? html`<${Found} text=${text} state=${state} />` : html`<${Listed} state=${state} page=${page} />`}`;
}
