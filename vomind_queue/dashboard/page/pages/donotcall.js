// The do-not-call list: search, add, import, take off, and the whole of it as a file.
import { ask, call, get, post, Problem } from '../api.js';

import { html, useRef, useState } from '../html.js';
import { touched, useLive } from '../live.js';
import { first_cells, number } from '../numbers.js';
import {
  attempt,
  confirm,
  Empty,
  Failure,
  Field,
  Icon,
  Loading,
  NumbersSwitch,
  Phone,
  save,
  say,
  Time,
} from '../parts.js';
import { count, many, masked } from '../words.js';
import { Fault, Line, Tabs, useForm } from './rules.js';

const ON_PAGE = 50;
const SENT = 5000;
const SAVED = 1000;
const LIST = 'api/do-not-call';
const REFUSED_SHOWN = 20;
const entry_path = (to) => `api/people/${encodeURIComponent(to)}/do-not-call`;

const Reason = ({ choice, choose }) =>
  html`<p>Calls to it may be scheduled and ring again. Those that ended do not come back.</p>
    <${Field} id="reason" label="Reason" hint="Kept in Activity with the name of your key.">${(aria) => html`<input ...${aria} required maxlength="128" autocomplete="off" value=${choice.reason || ''} onInput=${(event) => choose((old) => ({ ...old, reason: event.target.value, blocked: !event.target.value.trim() }))} />`}<//>`;

function remove(to) {
  confirm({
    title: `Take ${masked(to)} off the list?`,
    touches: Reason,
    yes: 'May be called again',
    no: 'Keep it',
    danger: true,
    run: async ({ reason }) => {
      await call('DELETE', entry_path(to), { reason: reason.trim() });
      say(`${masked(to)} may be called again.`);
      await touched();
    },
  });
}

/** What became of the calls to a number that was listed. */
function told(answer) {
  const ended = answer.cancelled ? ` ${many(answer.cancelled, 'call')} ended.` : '';
  const rings = answer.beingPlaced.length
    ? ` On the line: ${answer.beingPlaced.map((id) => `call ${id}`).join(', ')}.`
    : '';
  say(`${answer.message}.${ended}${rings}`);
}

function Add() {
  const form = useForm({ number: '', reason: '', source: '' }, async (fields, clear) => {
    const { number: given, ...wish } = fields;
    const to = number(given || '');
    if (!to)
      throw new Problem(422, { detail: 'Enter a number.', errors: { number: ['Must be set.'] } });
    told(await call('PUT', entry_path(to), { source: 'dashboard', ...wish }));
    clear();
    await touched();
  });
  return html`<form class="card form" onSubmit=${form.go} noValidate><header><h2>Add a number</h2></header><${Fault} of=${form} />
    <${Line} of=${form} name="number" id="add-number" label="Phone number" placeholder="+18125550100" inputmode="tel" />
    <div class="pair"><${Line} of=${form} name="reason" id="add-reason" label="Reason" optional maxlength="128" /><${Line} of=${form} name="source" id="add-source" label="Source" optional placeholder="dashboard" maxlength="128" /></div>
    <div class="row end"><span class="faint">Calls that wait for it end at once.</span><button class="primary" disabled=${form.busy}><${Icon} name="ban" />Never call it</button></div></form>`;
}

/** Sends all numbers of a file; `{added, known, refused: [words]}`. */
async function send(cells, source) {
  const sum = { added: 0, known: 0, refused: [] };
  for (let at = 0; at < cells.length; at += SENT) {
    const part = cells.slice(at, at + SENT);
    const numbers = part.map((each) => number(each.cell));
    const answer = await post(LIST, { numbers, source });
    sum.added += answer.counts.added;
    sum.known += answer.counts.known;
    answer.results.forEach((each, index) => {
      if (each.result === 'refused') sum.refused.push(`Line ${part[index].line}: ${each.detail}`);
    });
  }
  return sum;
}

function Import() {
  const picker = useRef(null);
  const [done, set] = useState(null);
  const take = async (event) => {
    const file = event.target.files[0];
    if (!file) return;
    set({ busy: true });
    const sum = await attempt(async () => send(await first_cells(file), file.name.slice(0, 128)));
    set(sum ? { sum } : null);
    if (picker.current) picker.current.value = '';
    await touched();
  };
  return html`<section class="card"><header><h2>Import a file</h2></header>
    <p class="faint">One number a line, or the first column of a CSV. Numbers that are listed keep their entry.</p>
    <p><button type="button" disabled=${done && done.busy} onClick=${() => picker.current.click()}><${Icon} name="file-spreadsheet" />Choose a file</button></p>
    <input ref=${picker} type="file" class="hidden" tabindex="-1" aria-label="File of numbers" accept=".csv,.txt,text/csv,text/plain" onChange=${take} />
    ${
      done &&
      done.sum &&
      html`<div role="status"><p>${count(done.sum.added)} added, ${count(done.sum.known)} known before, ${count(done.sum.refused.length)} refused.</p>
      ${done.sum.refused.length > 0 && html`<ul>${done.sum.refused.slice(0, REFUSED_SHOWN).map((each) => html`<li key=${each}>${each}</li>`)}</ul>`}</div>`
    }</section>`;
}

/** The whole list as one file. */
async function save_all() {
  const parts = [];
  let path = `${LIST}?limit=${SAVED}`;
  while (path) {
    const answer = await ask('GET', path, undefined, { Accept: 'text/csv' });
    if (!answer.ok) throw new Problem(answer.status);
    const text = await answer.text();
    parts.push(parts.length ? text.slice(text.indexOf('\n') + 1) : text);
    const next = /[?&]cursor=([0-9]+)/.exec(answer.headers.get('Link') || '');
    path = next && `${LIST}?limit=${SAVED}&cursor=${next[1]}`;
  }
  save('do-not-call.csv', parts, 'text/csv');
}

function Entries({ entries }) {
  return html`<div class="table-box"><table class="calls"><caption class="hidden">Numbers that never ring, newest first</caption>
    <thead><tr><th scope="col">Number</th><th scope="col">Since</th><th scope="col">By</th><th scope="col">Source</th><th scope="col">Reason</th><th scope="col"><span class="hidden">Acts</span></th></tr></thead>
    <tbody>${entries.map(
      (
        each,
        at,
      ) => html`<tr key=${`${each.number} ${each.listedAt} ${at}`}><td data-name="Number">${each.number ? html`<${Phone} number=${each.number} />` : html`<span class="faint">forgotten</span>`}</td><td data-name="Since"><${Time} at=${each.listedAt} /></td>
      <td data-name="By">${each.by}</td><td data-name="Source">${each.source}</td><td data-name="Reason" class="grow">${each.reason || html`<span class="faint">–</span>`}</td>
      <td class="acts">${each.number && html`<button type="button" class="small" aria-label=${`Remove ${masked(each.number)} from the list`} onClick=${() => remove(each.number)}><${Icon} name="trash-2" />Remove</button>`}</td></tr>`,
    )}</tbody></table></div>`;
}

/** The search, which is part of the address. */
function Search({ wanted }) {
  const [text, set] = useState(wanted);
  const go = (event) => {
    event.preventDefault();
    const to = number(text);
    location.hash = to ? `#/do-not-call?number=${encodeURIComponent(to)}` : '#/do-not-call';
  };
  return html`<form class="row" role="search" onSubmit=${go}><label class="hidden" for="find-number">Find a number</label><input id="find-number" type="search" autocomplete="off" inputmode="tel" placeholder="Find a number" value=${text} onInput=${(event) => set(event.target.value)} /><button><${Icon} name="search" />Find</button></form>`;
}

function Found({ wanted }) {
  const { value, error, again } = useLive(() => get(entry_path(wanted)), [wanted]);
  if (!value)
    return error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`;
  return value.listed
    ? html`<${Entries} entries=${[{ ...value, number: value.number || wanted }]} />`
    : html`<${Empty} icon="circle-check" title=${`${masked(value.number)} is not on the list.`}><p><a href="#/do-not-call">Show the list</a></p><//>`;
}

function Pages({ cursor, next }) {
  if (!cursor && !next) return null;
  return html`<nav class="pager" aria-label="Pages">${cursor && html`<a class="button" href="#/do-not-call">Newest</a>`}${next && html`<a class="button" href=${`#/do-not-call?cursor=${next}`}>Older</a>`}</nav>`;
}

function List({ cursor }) {
  const path = `${LIST}?limit=${ON_PAGE}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
  const { value, error, again } = useLive(() => get(path), [path]);
  if (!value)
    return error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`;
  if (!value.total)
    return html`<${Empty} icon="ban" title="The list is empty."><p class="faint">Numbers on it never ring, however their calls got into the queue.</p><//>`;
  return html`<div class="above"><span class="faint">${many(value.total, 'number')}</span><span><${NumbersSwitch} /><button type="button" class="small" onClick=${() => attempt(save_all)}><${Icon} name="download" />CSV</button></span></div>
    <${Entries} entries=${value.numbers} /><${Pages} cursor=${cursor} next=${value.next} />`;
}

export function DoNotCallPage({ query }) {
  const wanted = query.get('number') || '';
  return html`<header class="page"><h1 tabindex="-1">Do not call</h1><${Search} key=${wanted} wanted=${wanted} /></header><${Tabs} at="do-not-call" />
    ${wanted ? html`<${Found} wanted=${wanted} />` : html`<${List} cursor=${query.get('cursor') || ''} />`}
    <div class="columns story"><${Add} /><${Import} /></div>`;
}
