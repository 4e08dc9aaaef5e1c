// The filters above a list of calls: each is a button that opens its choices.
import {
  address_of,
  LISTED,
  LOGGED,
  outcome_name,
  PRIORITIES,
  said,
  SPANS,
  toggled,
  words_of,
} from './filters.js';
import { html, useEffect, useRef, useState } from './html.js';
import { Icon } from './parts.js';
import { useDraft } from './state.js';
import { STATES, upper } from './words.js';
import { from_wall, to_wall, ZONE } from './zone.js';

const go = (filters) => {
  location.hash = address_of(filters);
};

/** Choices below a button; they close by Escape, by another button, or by a click elsewhere. */
function Menu({ label, value, clear, children }) {
  const box = useRef(null);
  useEffect(() => {
    const outside = (event) => {
      if (box.current.open && !box.current.contains(event.target)) box.current.open = false;
    };
    addEventListener('pointerdown', outside);
    return () => removeEventListener('pointerdown', outside);
  }, []);
  const escape = (event) => {
    if (event.key !== 'Escape' || !box.current.open) return;
    box.current.open = false;
    box.current.querySelector('summary').focus();
  };
  return html`<span class=${`filter ${value ? 'set' : ''}`}><details class="menu" name="filters" ref=${box} onKeyDown=${escape}>
    <summary class="chip">${label}${value && html`<strong class="cut">${value}</strong>`}<${Icon} name="chevron-down" /></summary>
    <div class="sheet">${children}</div></details>${value && html`<button type="button" class="bare unset" aria-label=${`Any ${label.toLowerCase()}`} title=${`Any ${label.toLowerCase()}`} onClick=${clear}><${Icon} name="x" /></button>`}</span>`;
}

function Words({ filters, name, label, words, names }) {
  const chosen = words_of(filters[name]);
  return html`<${Menu} label=${label} value=${said(filters, name)} clear=${() => go({ ...filters, [name]: '' })}>
    <fieldset class="picks"><legend class="hidden">${label}</legend>${words.map(
      (word) =>
        html`<label key=${word}><input type="checkbox" checked=${chosen.includes(word)} onChange=${() => go(toggled(filters, name, word))} />${names(word)}</label>`,
    )}</fieldset><//>`;
}

const wall_of = (text) => (Number.isNaN(Date.parse(text)) ? '' : to_wall(Date.parse(text)));

function Times({ filters }) {
  const [fault, set_fault] = useState(null);
  const [from, type_from] = useDraft(wall_of(filters.since));
  const [to, type_to] = useDraft(wall_of(filters.until));
  const custom = (event) => {
    event.preventDefault();
    try {
      set_fault(null);
      go({ ...filters, since: from && from_wall(from), until: to && from_wall(to) });
    } catch (error) {
      set_fault(error.message);
    }
  };
  const clear = () => go({ ...filters, since: '', until: '' });
  return html`<${Menu} label="Time" value=${said(filters, 'time')} clear=${clear}>
    <fieldset class="picks"><legend class="hidden">Accepted</legend>${Object.entries(SPANS).map(
      ([span, name]) =>
        html`<label key=${span}><input type="radio" name="span" checked=${filters.since === span && !filters.until} onChange=${() => go({ ...filters, since: span, until: '' })} />${name}</label>`,
    )}</fieldset>
    <form onSubmit=${custom}><label>From<input type="datetime-local" value=${from} onInput=${type_from} /></label><label>Until<input type="datetime-local" value=${to} onInput=${type_to} /></label>
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}<p class="hint">When calls were accepted, in ${ZONE}.</p><button class="small">Apply</button></form><//>`;
}

function Text({ filters, name, label, hint }) {
  const [typed, type] = useDraft(filters[name]);
  const apply = (event) => {
    event.preventDefault();
    const text = typed.trim();
    go({ ...filters, [name]: name === 'number' ? text.replace(/[\s().-]/g, '') : text });
    event.target.closest('details').open = false;
  };
  return html`<${Menu} label=${label} value=${filters[name]} clear=${() => go({ ...filters, [name]: '' })}>
    <form onSubmit=${apply}><label>${label}<input autocomplete="off" value=${typed} onInput=${type} /></label><p class="hint">${hint}</p><button class="small">Apply</button></form><//>`;
}

const any_set = (filters) => Object.values(filters).some(Boolean);

export function FilterBar({ filters }) {
  return html`<div class="filters" role="group" aria-label="Filters">
    <${Words} filters=${filters} name="state" label="State" words=${LISTED} names=${(word) => STATES[word].name} />
    <${Words} filters=${filters} name="outcome" label="Outcome" words=${LOGGED} names=${outcome_name} />
    <${Times} filters=${filters} />
    <${Words} filters=${filters} name="priority" label="Priority" words=${PRIORITIES} names=${upper} />
    <${Text} filters=${filters} name="lead" label="Lead" hint="Exactly as it was sent." />
    <${Text} filters=${filters} name="number" label="Number" hint="The whole number, with + and the country code." />
    <${Text} filters=${filters} name="jobId" label="Call id" hint="Such as 127." />
    <${Text} filters=${filters} name="campaign" label="Campaign" hint="Its id, as in the address of its page." />
    ${any_set(filters) && html`<a class="clear" href="#/calls">Clear all</a>`}</div>`;
}
