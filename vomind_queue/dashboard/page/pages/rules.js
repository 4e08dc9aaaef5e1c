// When people may be called: a check of a number, the closed days, and the rules in force.
import { call, get, post } from '../api.js';
import { html, useState } from '../html.js';
import { touched, useLive } from '../live.js';
import { confirm, Failure, Field, Icon, Loading, Pill, say, Time } from '../parts.js';
import { emptied } from '../state.js';

const CLOSED = 'api/rules/closed-days';
const TABS = [
  ['rules', 'Rules', 'list-checks'],
  ['do-not-call', 'Do not call', 'ban'],
];
const VERDICTS = {
  go: ['green', 'May be called'],
  wait: ['amber', 'Has to wait'],
  never: ['red', 'Never'],
  unknown: ['amber', 'Not known'],
};
const MODES = {
  off: 'No calling rules are set: phones ring at any hour. CALLING_RULES sets them.',
  courtesy: 'The courtesy hours of this service apply everywhere. They are not law.',
  law: 'The rows of law apply, and the courtesy hours where there are none.',
};

/** The two pages about who may be called. */
export const Tabs = ({ at }) =>
  html`<nav class="tabs" aria-label="Who may be called">${TABS.map(([key, name, icon]) => html`<a key=${key} href=${`#/${key}`} aria-current=${key === at ? 'page' : undefined}><${Icon} name=${icon} />${name}</a>`)}</nav>`;

/** A form that sends its fields once: `{form, put, errors, message, go, busy}`. */
export function useForm(blank, run) {
  const [form, set] = useState(blank);
  const [state, tell] = useState({ busy: false, errors: {}, message: '' });
  const put = (name) => (event) => set({ ...form, [name]: event.target.value });
  const go = async (event) => {
    event.preventDefault();
    tell({ busy: true, errors: {}, message: '' });
    try {
      const given = Object.entries(form).map(([name, value]) => [name, value.trim()]);
      await run(Object.fromEntries(given.filter(([, value]) => value)), () =>
        set(emptied(blank, form)),
      );
      tell({ busy: false, errors: {}, message: '' });
    } catch (error) {
      tell({ busy: false, errors: error.errors || {}, message: error.message });
    }
  };
  return { form, put, go, ...state };
}

/** A field of such a form. */
export const Line = ({ of, name, id, label, optional, hint, ...attributes }) =>
  html`<${Field} id=${id} label=${label} optional=${optional} hint=${hint} errors=${of.errors[name]}>${(aria) => html`<input ...${aria} autocomplete="off" ...${attributes} value=${of.form[name]} onInput=${of.put(name)} />`}<//>`;

export const Fault = ({ of }) =>
  of.message && !Object.keys(of.errors).length
    ? html`<p class="fault" role="alert">${of.message}</p>`
    : null;

function Verdict({ found }) {
  const [tone, name] = VERDICTS[found.verdict];
  return html`<div role="status"><p><${Pill} tone=${tone}>${name}<//>${found.until && html` from <${Time} at=${found.until} />`}</p>
    <p>${found.why}</p>
    ${found.places.length > 0 && html`<ul class="faint">${found.places.map((place) => html`<li key=${`${place.zone}${place.region}`}>${place.localTime.slice(0, 16).replace('T', ' ')} in ${place.zone}${place.region && `, ${place.region}`}</li>`)}</ul>`}</div>`;
}

function Check() {
  const [found, show] = useState(null);
  const form = useForm({ to: '', timezone: '', region: '', purpose: '' }, async (fields) => {
    show(null);
    show(await post('api/rules/check', fields));
  });
  return html`<form class="card form" onSubmit=${form.go} noValidate><header><h2>Check a number</h2><span class="faint">calls nobody</span></header>
    <${Fault} of=${form} />
    <${Line} of=${form} name="to" id="check-to" label="Phone number" placeholder="+18125550100" inputmode="tel" />
    <div class="pair"><${Line} of=${form} name="timezone" id="check-zone" label="Time zone" optional placeholder="America/Chicago" /><${Line} of=${form} name="region" id="check-region" label="Region" optional placeholder="US-FL" /></div>
    <${Field} id="check-purpose" label="Purpose" optional errors=${form.errors.purpose}>${(aria) => html`<select ...${aria} value=${form.form.purpose} onChange=${form.put('purpose')}><option value="">as set</option>${['marketing', 'informational', 'debt'].map((each) => html`<option key=${each} value=${each}>${each}</option>`)}</select>`}<//>
    <div class="row end"><button class="primary" disabled=${form.busy}><${Icon} name="search" />Check</button></div>
    ${found && html`<${Verdict} found=${found} />`}</form>`;
}

function reopen(day) {
  confirm({
    title: `Open ${day.id} again?`,
    touches: 'Calls that the day holds are checked again at once, and ring in their hours.',
    yes: 'Open the day',
    no: 'Keep it closed',
    run: async () => {
      await call('DELETE', `${CLOSED}/${encodeURIComponent(day.id)}`);
      say(`${day.id} is open again.`);
      await touched();
    },
  });
}

const Day = ({ day }) =>
  html`<tr><td data-name="Day">${day.day}${day.last !== day.day && html`<br />to ${day.last}`}</td><td data-name="Why" class="grow">${day.reason || html`<span class="faint">–</span>`}<br /><span class="faint">${day.region || 'everywhere'}, by ${day.by || 'CLOSED_DAYS'}</span></td>
    <td class="acts">${day.by && html`<button type="button" class="small" aria-label=${`Open ${day.id} again`} onClick=${() => reopen(day)}><${Icon} name="undo-2" />Open</button>`}</td></tr>`;

function ClosedDays({ days }) {
  const form = useForm({ day: '', last: '', region: '', reason: '' }, async (fields, clear) => {
    const answer = await post(CLOSED, fields);
    say(`Nobody is called on ${answer.id}.`);
    clear();
    await touched();
  });
  return html`<section class="card"><header><h2>Closed days</h2><span class="faint">beside public holidays</span></header>
    <form class="form" onSubmit=${form.go} noValidate><${Fault} of=${form} />
      <div class="pair"><${Line} of=${form} name="day" id="day" label="Day" type="date" /><${Line} of=${form} name="last" id="last" label="Last day" optional type="date" /></div>
      <div class="pair"><${Line} of=${form} name="region" id="region" label="Where" optional placeholder="US-LA" hint="A country or state. Empty: everywhere." /><${Line} of=${form} name="reason" id="why" label="Why" optional maxlength="128" /></div>
      <div class="row end"><span class="faint">All workers obey at once.</span><button disabled=${form.busy}><${Icon} name="plus" />Close the day</button></div></form>
    ${
      days.length
        ? html`<div class="table-box"><table class="calls"><caption class="hidden">Closed days</caption><thead><tr><th scope="col">Day</th><th scope="col">Why</th><th scope="col"><span class="hidden">Acts</span></th></tr></thead>
      <tbody>${days.map((day) => html`<${Day} key=${day.id} day=${day} />`)}</tbody></table></div>`
        : html`<p class="faint">None.</p>`
    }</section>`;
}

/** The hours of a week, days that are alike in one line. */
function hours_of(days) {
  if (!days) return ['as the country’s'];
  const groups = [];
  for (const [name, ranges] of Object.entries(days)) {
    const text = ranges.join(' + ') || 'closed';
    const last = groups[groups.length - 1];
    if (last && last.text === text) last.to = name;
    else groups.push({ from: name, to: name, text });
  }
  return groups.map(({ from, to, text }) => `${from === to ? from : `${from}–${to}`} ${text}`);
}

const Source = ({ text }) =>
  /^https:\/\//.test(text)
    ? html`<a href=${text} rel="noreferrer">${text.replace(/^https:\/\//, '')}</a>`
    : text;

function Rows({ rules }) {
  return html`<div class="table-box"><table class="calls texts"><caption class="hidden">The rules in force</caption>
    <thead><tr><th scope="col">Rule</th><th scope="col">Hours there</th><th scope="col">Source</th></tr></thead>
    <tbody>${rules.map(
      (
        rule,
      ) => html`<tr key=${rule.id}><td data-name="Rule"><strong>${rule.name}</strong><br /><span class="faint">${rule.purposes.join(', ')}</span></td>
      <td data-name="Hours there">${hours_of(rule.hours).map((line) => html`<div key=${line}>${line}</div>`)}${rule.holidays && html`<div class="faint">holidays closed</div>`}</td>
      <td data-name="Source" class="grow"><${Source} text=${rule.source} /><br /><span class="faint">as of ${rule.asOf}${rule.sure ? `, sure: ${rule.sure}` : ', no law'}</span></td></tr>`,
    )}</tbody></table></div>`;
}

function Own({ found }) {
  const facts = [
    ['Your hours', found.callingHours && hours_of(found.callingHours).join(', ')],
    ['Unknown zone', found.unknownZone],
    ['Purpose unless named', found.defaultPurpose],
  ];
  return html`<dl class="facts">${facts.filter(([, value]) => value).map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function RulesPage() {
  const { value, error, again } = useLive(() => get('api/rules'), []);
  return html`<header class="page"><h1 tabindex="-1">Rules</h1></header><${Tabs} at="rules" />
    ${
      value
        ? html`<p class="faint lead">${MODES[value.mode]} This is not legal advice.</p>
      <div class="columns halves"><${Check} /><${ClosedDays} days=${value.closedDays} /></div>
      <section class="card"><header><h2>Rules in force</h2><span class="faint">${value.mode}</span></header><${Own} found=${value} />${value.count > 0 && html`<${Rows} rules=${value.rules} />`}</section>`
        : error
          ? html`<${Failure} error=${error} again=${again} />`
          : html`<${Loading} />`
    }`;
}
