// The list of calls: those of a state in the queue's own order, or all that match, newest first.
import { get } from '../api.js';
import * as actions from '../actions.js';
import { save_found } from '../export.js';
import { FilterBar } from '../filterbar.js';
import { address_of, api_filters, LISTED, queue_list } from '../filters.js';
import { html, useEffect, useState } from '../html.js';
import { overview, useLive } from '../live.js';
import { Empty, Failure, Icon, Loading, NumbersSwitch, Pager } from '../parts.js';
import { SelectBar, useSelection } from '../selection.js';
import { useCell, useDraft } from '../state.js';
import { Table } from '../table.js';
import { brief, count, many, STATES } from '../words.js';

const ON_PAGE = 25;
/** A count reads all that match, so it is asked for less often than the page itself. */
const COUNT_MS = 15_000;
const NOTES = {
  waiting: 'In the order in which they will be dialed.',
  delayed: 'Soonest first: scheduled, or between two attempts.',
  active: 'Being dialed, or waiting for Twilio’s confirmation.',
  completed: 'Newest first.',
  failed: 'Failed after all attempts. Newest first.',
  cancelled: 'Taken out before they rang. Newest first, from the call log.',
};
/** What an empty list would show, and a way to fill it. */
const NOTHING = {
  waiting: 'A call that is due stands here until it is dialed.',
  delayed: 'Calls for later stand here, and those that are tried again.',
  active: 'A call stands here for the moment in which Twilio is asked to place it.',
  completed: 'Calls that Twilio took stand here, with how they ended.',
  failed: 'Calls that were given up stand here, with the reason.',
  cancelled: 'Calls that somebody cancelled stand here.',
};

function Why() {
  const { value, again } = useLive(() => get('api/queue/failed/reasons'), []);
  if (!value || !value.reasons.length) return null;
  return html`<section class="card tight" aria-label="Why they failed"><header><h2>Why they failed</h2><span class="faint">${many(value.count, 'reason')}</span></header>
    <ul class="kinds">${value.reasons.map(
      (
        each,
      ) => html`<li key=${each.kind}><span class="number">${count(each.count)}</span><span class="cut" title=${each.example}>${brief(each.example)}</span>
      <button type="button" class="small" aria-label=${`Retry all ${each.count} of ${each.kind}`} onClick=${() => actions.retry_all(each, again)}><${Icon} name="rotate-ccw" />Retry all</button></li>`,
    )}</ul></section>`;
}

function Nothing({ filters }) {
  const { state } = filters;
  if (NOTHING[state] && address_of(filters) === `#/calls/${state}`)
    return html`<${Empty} icon=${STATES[state].icon} title=${state === 'cancelled' ? 'No call was cancelled.' : `No call is ${STATES[state].name.toLowerCase()}.`}><p class="faint">${NOTHING[state]}</p><p><a class="button" href="#/place/now"><${Icon} name="plus" />Place a call</a></p><//>`;
  if (filters.q)
    return html`<${Empty} icon="search" title="No call matches."><p class="faint">Give a whole number with its country code, a lead exactly as it was sent, or a call's id.</p><//>`;
  return html`<${Empty} icon="search" title="No call matches."><p class="faint">No call has all of these filters.</p><p><a class="button" href="#/calls">Show all calls</a></p><//>`;
}

/** The queue's own list of a state. */
function Queue({ state, filters, page }) {
  const path = `api/queue/${state}?start=${page * ON_PAGE}&end=${(page + 1) * ON_PAGE - 1}`;
  const { value, error, again } = useLive(() => get(path), [path]);
  const selection = useSelection(path);
  if (!value)
    return error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`;
  if (!value.total) return html`<${Nothing} filters=${filters} />`;
  return html`${state === 'failed' && html`<${Why} />`}<${Table} caption=${`${STATES[state].name} calls`} calls=${value.jobs} state=${state} selection=${selection} /><${SelectBar} selection=${selection} filters=${filters} total=${value.total} /><${Pager} path=${`#/calls/${state}`} page=${page} size=${ON_PAGE} total=${value.total} />`;
}

const log_page = (query) => get(`api/calls?${new URLSearchParams(query)}`);

/** How many calls match, as of a moment ago; null where nobody counts. */
function useCount(filters) {
  const [total, set] = useState(null);
  const address = address_of(filters);
  useEffect(() => {
    let current = true;
    const ask = () =>
      log_page({ ...api_filters(filters), count: true, limit: 1 }).then(
        (answer) => current && set(answer.total ?? null),
        () => current && set(null),
      );
    set(null);
    ask();
    const timer = setInterval(() => document.hidden || ask(), COUNT_MS);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [address]);
  return total;
}

/** The pages that led to a page, by its cursor: the call log gives only the next one. */
const before = new Map();

function LogPager({ filters, value, cursor, total }) {
  const to = (after) => address_of(filters, { after });
  const step = (href, name, icon) =>
    href === null
      ? html`<span class="button off" aria-hidden="true"><${Icon} name=${icon} /></span>`
      : html`<a class="button" href=${href} aria-label=${name} title=${name}><${Icon} name=${icon} /></a>`;
  if (value.next) before.set(value.next, cursor);
  return html`<nav class="pager" aria-label="Pages"><span role="status">${cursor || value.next ? many(value.count, 'call') : ''}${total !== null && (cursor || value.next) ? ' of ' : ''}${total === null ? '' : `${count(total)}${cursor || value.next ? '' : ` ${total === 1 ? 'call' : 'calls'}`}`}</span>
    ${(cursor || value.next) && html`${step(cursor ? to('') : null, 'First page', 'chevrons-left')}${step(before.has(cursor) ? to(before.get(cursor)) : null, 'Page before', 'chevron-left')}${step(value.next ? to(value.next) : null, 'Next page', 'chevron-right')}`}</nav>`;
}

/** All calls that match, newest first. */
function Log({ filters, cursor }) {
  const address = address_of(filters, { after: cursor });
  const load = () =>
    log_page({ ...api_filters(filters), ...(cursor && { cursor }), limit: ON_PAGE });
  const { value, error, again } = useLive(load, [address]);
  const total = useCount(filters);
  const selection = useSelection(address);
  if (!value)
    return error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`;
  if (!value.calls.length && !cursor) return html`<${Nothing} filters=${filters} />`;
  const state = LISTED.includes(filters.state) ? filters.state : null;
  return html`${value.source === 'queue' && html`<div class="notice"><${Icon} name="info" /><div><strong>There is no call log.</strong> These are the calls in the queue, in its order; those that left it are missing.</div></div>`}
    <${Table} caption="Calls that match" calls=${value.calls} state=${state} selection=${selection} /><${SelectBar} selection=${selection} filters=${filters} total=${total} /><${LogPager} filters=${filters} value=${value} cursor=${cursor} total=${total} />`;
}

/** Queries that a search may mean: a call's id, a lead, a number without its plus. */
export function meanings(text) {
  const squeezed = text.replace(/[\s().-]/g, '');
  if (/^\+[0-9]{7,15}$/.test(squeezed)) return [['number', squeezed]];
  return [
    ['jobId', text],
    ['lead', text],
    ...(/^[0-9]{7,15}$/.test(squeezed) ? [['number', `+${squeezed}`]] : []),
  ];
}

/** What a search may mean, one after the other: the newest calls of each. */
function Search({ filters }) {
  const { q, ...others } = filters;
  const wanted = meanings(q).map(([name, value]) => ({ ...others, [name]: value }));
  const load = () =>
    Promise.all(wanted.map((each) => log_page({ ...api_filters(each), limit: ON_PAGE })));
  const { value, error, again } = useLive(load, [address_of(filters)]);
  const selection = useSelection(address_of(filters));
  if (!value)
    return error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`;
  const calls = new Map(
    value.flatMap((page) => page.calls).map((call) => [call.jobId + call.createdAt, call]),
  );
  if (!calls.size) return html`<${Nothing} filters=${filters} />`;
  const newest = [...calls.values()].sort((one, other) =>
    other.createdAt.localeCompare(one.createdAt),
  );
  return html`<${Table} caption=${`Calls that match ${q}`} calls=${newest} selection=${selection} /><${SelectBar} selection=${selection} filters=${null} total=${null} />
    <p class="more">${value.map((page, at) => page.next && html`<a key=${at} class="button" href=${address_of(wanted[at])}>All calls of ${meanings(q)[at][0] === 'lead' ? 'the lead' : 'the number'} ${meanings(q)[at][1]}</a>`)}</p>`;
}

function SearchBox({ filters }) {
  const [typed, type] = useDraft(filters.q);
  const go = (event) => {
    event.preventDefault();
    const text = typed.trim();
    const [[name, value], other] = meanings(text);
    location.hash = address_of(text && !other ? { [name]: value } : { q: text });
  };
  return html`<form class="search" role="search" onSubmit=${go}>
    <${Icon} name="search" /><input id="search" type="search" aria-label="Search by number, lead or call id" placeholder="Number, lead or call id" value=${typed} onInput=${type} />
    <button>Search</button></form>`;
}

function Tabs({ filters }) {
  const { shown } = useCell(overview);
  const tab = (state, name, number) =>
    html`<a key=${state} href=${address_of({ ...filters, state, q: '' })} aria-current=${!filters.q && filters.state === state ? 'page' : undefined}>${name}${number !== undefined && html` <span class="number">${count(number)}</span>`}</a>`;
  return html`<nav class="tabs" aria-label="States">${tab('', 'All')}${LISTED.map((each) => tab(each, STATES[each].name, shown ? shown.stats[each] : undefined))}</nav>`;
}

/** The name of the list that these filters find. */
export function title_of(filters) {
  if (filters.q) return 'Search';
  return STATES[filters.state] ? `${STATES[filters.state].name} calls` : 'All calls';
}

function Body({ filters, query }) {
  if (filters.q) return html`<${Search} filters=${filters} />`;
  const state = queue_list(filters);
  if (!state) return html`<${Log} filters=${filters} cursor=${query.get('after') || ''} />`;
  const page = Math.max(0, Number.parseInt(query.get('page') || '0', 10) || 0);
  return html`<${Queue} state=${state} filters=${filters} page=${page} />`;
}

export function CallsPage({ filters, query }) {
  const note = queue_list(filters) || (filters.state === 'cancelled' && 'cancelled');
  return html`<header class="page"><h1 tabindex="-1">${title_of(filters)}</h1>
      <div class="acts">${['completed', 'failed'].includes(queue_list(filters)) && html`<button type="button" onClick=${actions.clean}><${Icon} name="trash-2" />Delete finished calls</button>`}<${SearchBox} filters=${filters} /></div></header>
    <${Tabs} filters=${filters} /><${FilterBar} filters=${filters} />
    <div class="above"><p class="faint lead">${filters.q ? html`Everything that the call log knows of “${filters.q}”.` : NOTES[note] || 'Newest first, from the call log.'}</p>
      <span><${NumbersSwitch} />${!filters.q && html`<button type="button" class="small" onClick=${() => save_found(filters)}><${Icon} name="download" />Download CSV</button>`}</span></div>
    <${Body} filters=${filters} query=${query} />`;
}
