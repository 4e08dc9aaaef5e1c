// The keyboard: a palette of places and acts, the keys that lead to them, and help on both.
import * as actions from './actions.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from './html.js';
import { overview } from './live.js';
import { Icon } from './parts.js';
import { cell, useCell } from './state.js';
import { STATES } from './words.js';

const PLACES = [
  ['Overview', '#/', 'layout-dashboard'],
  ['All calls', '#/calls', 'list'],
  ...['waiting', 'delayed', 'active', 'completed', 'failed', 'cancelled'].map((state) => [
    `${STATES[state].name} calls`,
    `#/calls/${state}`,
    STATES[state].icon,
  ]),
  ['Calls of today', '#/calls?since=today', 'clock'],
  ['Recurring calls', '#/recurring', 'repeat'],
  ['Campaigns', '#/campaigns', 'send'],
  ['Place a call', '#/place/now', 'phone'],
  ['Place a call later', '#/place/later', 'calendar-clock'],
  ['New recurring call', '#/place/recurring', 'repeat'],
  ['Calls from a file', '#/place/file', 'file-spreadsheet'],
  ['Trends', '#/trends', 'gauge'],
  ['Rules', '#/rules', 'list-checks'],
  ['Do not call', '#/do-not-call', 'ban'],
  ['Activity', '#/activity', 'activity'],
];
/** After g: a letter for a place. */
const LETTERS = {
  o: '#/',
  c: '#/calls',
  f: '#/calls/failed',
  r: '#/recurring',
  p: '#/place/now',
  d: '#/do-not-call',
  a: '#/activity',
};
const KEYS = [
  ['Ctrl K  or  /', 'Search, and go anywhere'],
  ['g o', 'Overview'],
  ['g c', 'All calls'],
  ['g f', 'Failed calls'],
  ['g r', 'Recurring calls'],
  ['g p', 'Place a call'],
  ['g d', 'Do not call'],
  ['g a', 'Activity'],
  ['j  k', 'Next and previous call of a list'],
  ['x', 'Select the call; with Shift, all in between'],
  ['o  or  Enter', 'Open the call'],
  ['Esc', 'Close a question'],
  ['?', 'This help'],
];
const G_MS = 1500;
const MOST = 8;

/** What is open: `palette`, `help` or nothing. */
const open = cell(null);

function acts() {
  const { shown } = overview.get();
  if (!shown) return [];
  const paused = shown.paused;
  const run = () => (paused ? actions.resume : actions.pause)(shown);
  return [
    { name: paused ? 'Resume the queue' : 'Pause the queue', icon: paused ? 'play' : 'pause', run },
    { name: 'Keys of this page', icon: 'keyboard', run: () => open.set('help') },
  ];
}

/** What is offered for a text: places and acts by their words, then a search for it. */
function offers(text) {
  const go = (href) => () => {
    location.hash = href;
  };
  const all = [...PLACES.map(([name, href, icon]) => ({ name, icon, run: go(href) })), ...acts()];
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
  if (!text) return found.slice(0, MOST);
  const search = {
    name: `Search calls for “${text}”`,
    icon: 'search',
    run: go(`#/calls?q=${encodeURIComponent(text)}`),
  };
  // A number or an id means a call, not a place.
  const first = found.length && !/\d/.test(text);
  return first ? [...found.slice(0, MOST), search] : [search, ...found.slice(0, MOST)];
}

function Offers() {
  const [text, type] = useState('');
  const [at, move] = useState(0);
  const found = offers(text.trim());
  const take = (offer) => {
    open.set(null);
    offer.run();
  };
  const pressed = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    move((at + step + found.length) % found.length);
  };
  return html`<form method="dialog" class="palette" onSubmit=${(event) => {
    event.preventDefault();
    if (found[at]) take(found[at]);
  }}>
    <input type="search" role="combobox" aria-label="Go to, or search calls" aria-expanded="true" aria-controls="offers" aria-activedescendant=${found.length ? `offer-${at}` : undefined} placeholder="Number, lead or call id; a place, or an act" autocomplete="off" autofocus value=${text} onKeyDown=${pressed} onInput=${(
      event,
    ) => {
      type(event.target.value);
      move(0);
    }} />
    <ul id="offers" role="listbox" aria-label="Offers">${found.map((offer, index) => html`<li key=${offer.name} id=${`offer-${index}`} role="option" aria-selected=${index === at} onMouseMove=${() => index !== at && move(index)} onClick=${() => take(offer)}><${Icon} name=${offer.icon} />${offer.name}</li>`)}</ul>
    <p class="faint">↑ ↓ to choose, Enter to go, Esc to close</p></form>`;
}

const Help = () =>
  html`<form method="dialog" class="ask"><h2>Keys</h2><dl class="keys">${KEYS.map(([keys, what]) => html`<div key=${keys}><dt>${keys.split('  ').map((key) => (key === 'or' ? 'or ' : html`<kbd>${key}</kbd> `))}</dt><dd>${what}</dd></div>`)}</dl>
    <div class="row end"><button class="primary" autofocus>Close</button></div></form>`;

const typing = (target) =>
  /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && target.type !== 'checkbox';

/** Opens them by their keys, on every page. */
function useKeys() {
  const g = useRef(0);
  useEffect(() => {
    const pressed = (event) => {
      if (document.querySelector('dialog[open]')) return;
      const command = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k';
      if (!command && (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey))
        return;
      const after_g = Date.now() - g.current < G_MS && LETTERS[event.key];
      g.current = event.key === 'g' ? Date.now() : 0;
      if (command || event.key === '/') open.set('palette');
      else if (event.key === '?') open.set('help');
      else if (after_g) location.hash = after_g;
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', pressed);
    return () => removeEventListener('keydown', pressed);
  }, []);
}

export function Keyboard() {
  useKeys();
  const what = useCell(open);
  const box = useRef(null);
  // Before the next key: what is typed at once belongs into it.
  useLayoutEffect(() => {
    if (what && !box.current.open) box.current.showModal();
    if (!what && box.current.open) box.current.close();
  }, [what]);
  return html`<dialog ref=${box} class=${what || ''} aria-label=${what === 'help' ? 'Keys of this page' : 'Go to'} onClose=${() => open.set(null)} onClick=${(event) => event.target === box.current && open.set(null)}>
    ${what === 'palette' ? html`<${Offers} />` : what === 'help' && html`<${Help} />`}</dialog>`;
}

/** For those who do not know the keys yet. */
export const KeysButton = () =>
  html`<button type="button" class="bare keyboard" onClick=${() => open.set('palette')}><${Icon} name="search" /><span>Search <kbd>Ctrl K</kbd></span></button>`;
