// The page's frame: where one is, and how to get elsewhere.
import { locked, signedIn, signOut } from './api.js';
import { html, render, useEffect, useState } from './html.js';
import { overview, start } from './live.js';
import { Confirm, Icon, Toasts } from './parts.js';
import { ActivityPage } from './pages/activity.js';
import { Keyboard, KeysButton } from './palette.js';
import { CallPage } from './pages/call.js';
import { CampaignPage, CampaignsPage } from './pages/campaigns.js';
import { DoNotCallPage } from './pages/donotcall.js';
import { RulesPage } from './pages/rules.js';
import { Orders } from './acts.js';
import { filters_in } from './filters.js';
import { CallsPage, title_of } from './pages/calls.js';
import { LoginPage } from './pages/login.js';
import { OverviewPage } from './pages/overview.js';
import { PlacePage } from './pages/place.js';
import { RecurringPage, SchedulePage } from './pages/recurring.js';
import { SPANS, TrendsPage } from './pages/trends.js';
import { UploadPage } from './pages/upload.js';
import { useCell } from './state.js';
import { verdict } from './verdict.js';
import { useWatch, WatchSwitch } from './watch.js';
import { ZoneChoice } from './zonechoice.js';

const NAV = [
  ['', 'Overview', 'layout-dashboard'],
  ['calls', 'Calls', 'list'],
  ['recurring', 'Recurring', 'repeat'],
  ['campaigns', 'Campaigns', 'send'],
  ['place', 'Place calls', 'phone-outgoing'],
  ['trends', 'Trends', 'gauge'],
  ['rules', 'Rules', 'list-checks'],
  ['activity', 'Activity', 'activity'],
];
const THEMES = {
  auto: ['sun-moon', 'Theme: system'],
  light: ['sun', 'Theme: light'],
  dark: ['moon', 'Theme: dark'],
};

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `{room, rest, query}` of the address after the `#`. */
function where() {
  const [path, search] = location.hash.replace(/^#\/?/, '').split('?');
  const [room, ...rest] = path.split('/').map(decoded);
  return { room: room || '', rest, query: new URLSearchParams(search || '') };
}

function page({ room, rest, query }) {
  if (room === 'calls') {
    const filters = filters_in({ rest, query });
    return [title_of(filters), html`<${CallsPage} filters=${filters} query=${query} />`];
  }
  if (room === 'call')
    return [`Call ${rest[0]}`, html`<${CallPage} key=${rest[0]} id=${rest[0]} />`];
  if (room === 'recurring' && rest[0])
    return [
      `Recurring call ${rest[0]}`,
      html`<${SchedulePage} key=${rest[0]} number=${rest[0]} />`,
    ];
  if (room === 'recurring') return ['Recurring calls', html`<${RecurringPage} query=${query} />`];
  if (room === 'trends') {
    const span = Object.hasOwn(SPANS, rest[0]) ? rest[0] : 'day';
    return ['Trends', html`<${TrendsPage} span=${span} />`];
  }
  if (room === 'campaigns' && (rest[0] === 'new' || rest[1] === 'list'))
    return [
      'Calls from a file',
      html`<${UploadPage} key=${rest.join('/')} rest=${rest} query=${query} />`,
    ];
  if (room === 'campaigns' && rest[0])
    return [`Campaign ${rest[0]}`, html`<${CampaignPage} key=${rest[0]} id=${rest[0]} />`];
  if (room === 'campaigns') return ['Campaigns', html`<${CampaignsPage} query=${query} />`];
  if (room === 'rules') return ['Rules', html`<${RulesPage} />`];
  if (room === 'do-not-call') return ['Do not call', html`<${DoNotCallPage} query=${query} />`];
  if (room === 'activity') return ['Activity', html`<${ActivityPage} query=${query} />`];
  if (room === 'place') return ['Place calls', html`<${PlacePage} tab=${rest[0] || 'now'} />`];
  return ['Overview', html`<${OverviewPage} />`];
}

function useTheme() {
  const [theme, set] = useState(document.documentElement.dataset.theme || 'auto');
  const next = () => {
    const names = Object.keys(THEMES);
    const chosen = names[(names.indexOf(theme) + 1) % names.length];
    if (chosen === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    localStorage.setItem('vomind-theme', chosen);
    set(chosen);
  };
  return [theme, next];
}

/** The state of the queue in a word, on every page. */
function Chip() {
  const live = useCell(overview);
  if (!live.shown && !live.error) return html`<span class="chip-state grey"><i></i>Loading</span>`;
  const { tone, word } = verdict(live);
  return html`<a class=${`chip-state ${tone}`} href="#/"><i></i>${word}</a>`;
}

function Side({ room }) {
  const [theme, next] = useTheme();
  const at = { call: 'calls', 'do-not-call': 'rules' }[room] || room;
  const [icon, said] = THEMES[theme];
  return html`<header class="side"><a class="brand" href="#/"><img src="dashboard/icon.svg" alt="" width="30" height="30" />VoMind Queue</a><${Chip} />
    <nav aria-label="Main">${NAV.map(([key, name, sign]) => html`<a key=${key} href=${`#/${key}`} aria-current=${at === key ? 'page' : undefined}><${Icon} name=${sign} /><span>${name}</span></a>`)}</nav>
    <div class="foot"><${KeysButton} /><${WatchSwitch} /><button type="button" class="bare" onClick=${next} aria-label=${`${said}. Change.`} title=${said}><${Icon} name=${icon} /><span>${said}</span></button>
      ${signedIn() && html`<button type="button" class="bare" onClick=${signOut}><${Icon} name="log-out" /><span>Sign out</span></button>`}
      <${ZoneChoice} />
      <p class="ways"><a href="docs">API</a></p></div></header>`;
}

function App() {
  const [place, set] = useState(where);
  const closed = useCell(locked);
  useEffect(() => {
    const moved = () => {
      set(where());
      // The list changes below the filter that is being chosen.
      if (!document.activeElement.closest('.filters')) scrollTo(0, 0);
    };
    addEventListener('hashchange', moved);
    return () => removeEventListener('hashchange', moved);
  }, []);
  const [title, body] = page(place);
  useWatch(title, closed);
  useFocus(`${place.room}/${place.rest.join('/')}`);
  if (closed) return html`<${LoginPage} />`;
  return html`<a class="skip" href="#main" onClick=${(event) => {
    event.preventDefault();
    document.querySelector('main').focus();
  }}>To the content</a>
    <div class="frame"><${Side} room=${place.room} /><main id="main" tabindex="-1">${body}</main></div><div class="corner"><${Orders} /><${Toasts} /></div><${Confirm} /><${Keyboard} />`;
}

/** A screen reader announces the name of the page that was opened. */
function useFocus(address) {
  const [first, set] = useState(true);
  useEffect(() => {
    if (first) set(false);
    else if (!document.activeElement.closest('.filters'))
      document.querySelector('h1')?.focus({ preventScroll: true });
  }, [address]);
}

const root = document.getElementById('app');
root.textContent = '';
render(html`<${App} />`, root);
start();
