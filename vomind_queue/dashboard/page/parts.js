// Small things that every page is made of.
import { html, useEffect, useRef, useState } from './html.js';
import { overview } from './live.js';
import { cell, useCell } from './state.js';
import { count, distance, masked, moment, stage, STATES, whole } from './words.js';

export const Icon = ({ name }) => html`<span class=${`i i-${name}`} aria-hidden="true"></span>`;

/** Whether all numbers are shown, until the page is left. */
const unmasked = cell(false);

export function NumbersSwitch() {
  const on = useCell(unmasked);
  return html`<button type="button" class="small" aria-pressed=${on} onClick=${() => unmasked.set(!on)}><${Icon} name=${on ? 'eye-off' : 'eye'} />${on ? 'Hide numbers' : 'Show numbers'}</button>`;
}

/** A phone number, hidden until somebody asks for it. */
export function Phone({ number }) {
  const all = useCell(unmasked);
  const [open, set] = useState(all);
  useEffect(() => set(all), [all]);
  if (!number) return html`<span class="faint">blanked</span>`;
  return html`<button type="button" class=${`phone ${open ? 'open' : ''}`} title=${open ? 'Hide the number' : 'Show the number'} aria-expanded=${open}
    onClick=${(event) => {
      event.stopPropagation();
      set(!open);
    }}>${open ? number : masked(number)}</button>`;
}

export function Badge({ state }) {
  const known = STATES[state] || { name: state, icon: 'info', tone: 'grey' };
  return html`<span class=${`badge ${known.tone}`}><${Icon} name=${known.icon} />${known.name}</span>`;
}

/** Where a call is, the outcome first: "Busy", not "placed". */
export function Stage({ call, state }) {
  const { name, tone, icon } = stage(call, state);
  return html`<span class=${`badge ${tone}`}><${Icon} name=${icon} />${name}</span>`;
}

/** Copies a text, and says so for a moment. */
export function Copy({ text }) {
  const [done, set] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    set(true);
    setTimeout(() => set(false), 1500);
  };
  return html`<button type="button" class="small" onClick=${copy}>${done ? 'Copied' : 'Copy'}</button>`;
}

/** Copies a number, an id: `what` it is. */
export function CopyMark({ text, what }) {
  const [done, set] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    set(true);
    setTimeout(() => set(false), 1500);
  };
  return html`<button type="button" class="bare mark" aria-label=${`Copy the ${what}`} title=${done ? 'Copied' : `Copy the ${what}`} onClick=${copy}><${Icon} name=${done ? 'check' : 'copy'} /></button>`;
}

export const Pill = ({ tone, children }) => html`<span class=${`pill ${tone}`}>${children}</span>`;

const URGENCY = { high: 'red', normal: 'grey', low: 'faintest' };
export const Urgency = ({ priority }) =>
  html`<span class=${`urgency ${URGENCY[priority] || ''}`}><i></i>${priority}</span>`;

/** A time of day, with the whole of it to look up. */
export function Time({ at, far }) {
  useSecond();
  if (!at) return html`<span class="faint">–</span>`;
  return html`<time dateTime=${at} title=${whole(at)}>${far ? distance(at) : moment(at)}</time>`;
}

/** The same with its distance from now below it. */
export function When({ at }) {
  useSecond();
  if (!at) return html`<span class="faint">–</span>`;
  return html`<time class="when" dateTime=${at} title=${whole(at)}>${moment(at)}<span class="faint">${distance(at)}</span></time>`;
}

/** Draws its owner again each second. */
export function useSecond() {
  const [, again] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => again((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}

export const Loading = () => html`<p class="loading" role="status">Loading …</p>`;

export const Failure = ({
  error,
  again,
}) => html`<div class="notice error" role="alert"><${Icon} name="circle-alert" />
  <div><strong>${error.message}</strong>${again && html`<p><button type="button" class="small" onClick=${again}>Try again</button></p>`}</div></div>`;

export const Empty = ({ icon = 'phone', title, children }) =>
  html`<div class="empty"><${Icon} name=${icon} /><p><strong>${title}</strong></p>${children}</div>`;

/** The pages of a list at `path`; `page` counts from 0. A list that became shorter shows its last page. */
export function Pager({ path, page, size, total }) {
  const last = Math.max(0, Math.ceil(total / size) - 1);
  const to = (wanted) => `${path}${wanted ? `?page=${wanted}` : ''}`;
  useEffect(() => {
    if (page > last) location.replace(to(last));
  }, [page, last]);
  const step = (wanted, name, icon) =>
    wanted < 0 || wanted > last || wanted === page
      ? html`<span class="button off" aria-hidden="true"><${Icon} name=${icon} /></span>`
      : html`<a class="button" href=${to(wanted)} aria-label=${name} title=${name}><${Icon} name=${icon} /></a>`;
  return html`<nav class="pager" aria-label="Pages"><span>${count(Math.min(page, last) * size + 1)}–${count(Math.min(total, (page + 1) * size))} of ${count(total)}</span>
    ${last > 0 && html`${step(0, 'First page', 'chevrons-left')}${step(page - 1, 'Page before', 'chevron-left')}${step(page + 1, 'Next page', 'chevron-right')}${step(last, 'Last page', 'chevrons-right')}`}</nav>`;
}

// ---- What was done, and a way back -------------------------------------------------------

const STAYS_MS = 9000;
const toasts = cell([]);
let numbered = 0;

/**
 * Says what was done. `undo`, optional: `{label, run}`. `topic`, optional: what it is about; an
 * earlier word on that is taken away, for its undo would be a contrary order by now. `holds`,
 * optional: whether it is still so, by the overview.
 */
export function say(text, { undo, link, topic, holds, tone = 'good' } = {}) {
  const toast = { id: ++numbered, text, undo, link, topic, holds, tone };
  const others = toasts.get().filter((each) => !topic || each.topic !== topic);
  toasts.set([...others.slice(-2), toast]);
  setTimeout(() => unsay(toast.id), STAYS_MS);
}

const unsay = (id) => toasts.set(toasts.get().filter((toast) => toast.id !== id));

export function Toasts() {
  const live = useCell(overview);
  const shown = useCell(toasts).filter(({ holds }) => !holds || !live.shown || holds(live.shown));
  return html`<div class="toasts" role="status" aria-live="polite">${shown.map(
    (toast) => html`
    <div class=${`toast ${toast.tone}`} key=${toast.id}>
      <${Icon} name=${toast.tone === 'bad' ? 'circle-alert' : 'circle-check'} /><span>${toast.text}</span>
      ${toast.link && html`<a href=${toast.link.href}>${toast.link.label}</a>`}
      ${
        toast.undo &&
        html`<button type="button" class="plain" onClick=${() => {
          unsay(toast.id);
          attempt(toast.undo.run);
        }}><${Icon} name="undo-2" />${toast.undo.label || 'Undo'}</button>`
      }
      <button type="button" class="bare" aria-label="Dismiss" onClick=${() => unsay(toast.id)}><${Icon} name="x" /></button>
    </div>`,
  )}</div>`;
}

/** Run an action; show an error if it fails. */
export async function attempt(run) {
  try {
    return await run();
  } catch (error) {
    say(error.message, { tone: 'bad' });
    return undefined;
  }
}

// ---- Asking before it is done ------------------------------------------------------------

const question = cell(null);

/**
 * Asks before something is done. `touches` says in words what it will touch, or is a component
 * that does; `run` does it and gets what that component has set. `ready`: it need not set anything.
 * `first`: what is set at first. `stays`: the question stays open when `run` fails, with the error.
 */
export const confirm = (asked) => question.set(asked);

export function Confirm() {
  const asked = useCell(question);
  const box = useRef(null);
  useEffect(() => {
    if (asked && !box.current.open) box.current.showModal();
    if (!asked && box.current.open) box.current.close();
  }, [asked]);
  return html`<dialog ref=${box} aria-labelledby="ask" onClose=${() => question.set(null)} onClick=${(event) => event.target === box.current && box.current.close()}>
    ${asked && html`<${Question} asked=${asked} />`}</dialog>`;
}

/** The question goes on: what was wanted is refused. */
const STAYS = {};

function Question({ asked }) {
  const [choice, choose] = useState({
    ...asked.first,
    blocked: typeof asked.touches === 'function' && !asked.ready && !asked.first,
  });
  const [busy, set_busy] = useState(false);
  /** What is wrong stands in the question itself. */
  const tried = (chosen) =>
    asked.run(chosen).catch((error) => {
      choose((old) => ({ ...old, fault: error.message, errors: error.errors || {} }));
      return STAYS;
    });
  const go = async (event) => {
    event.preventDefault();
    set_busy(true);
    const done = await (asked.stays ? tried(choice) : attempt(() => asked.run(choice)));
    if (done === STAYS) set_busy(false);
    else question.set(null);
  };
  return html`<form method="dialog" class="ask" onSubmit=${go}>
    <h2 id="ask">${asked.title}</h2>
    <div class="touches">${typeof asked.touches === 'function' ? html`<${asked.touches} choice=${choice} choose=${choose} />` : html`<p>${asked.touches}</p>`}</div>
    ${asked.after && html`<p class="faint">${asked.after}</p>`}
    <div class="row end">
      <button type="button" onClick=${() => question.set(null)}>${asked.no || 'Cancel'}</button>
      <button class=${asked.danger ? 'danger' : 'primary'} disabled=${busy || choice.blocked} autofocus>${asked.yes}</button>
    </div>
  </form>`;
}

// ---- Fields of forms ---------------------------------------------------------------------

/** A label, a control and its error. `children` is a function of the control's attributes. */
export function Field({ id, label, hint, errors, optional, children }) {
  const wrong = errors && errors.length > 0;
  const described =
    [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(' ') || undefined;
  return html`<div class=${`field ${wrong ? 'wrong' : ''}`}>
    <label for=${id}>${label}${optional && html` <span class="faint">optional</span>`}</label>
    ${children({ id, 'aria-describedby': described, 'aria-invalid': wrong ? 'true' : undefined })}
    ${hint && html`<p class="hint" id=${`${id}-hint`}>${hint}</p>`}
    ${wrong && html`<p class="fault" id=${`${id}-wrong`}>${errors.join(' ')}</p>`}
  </div>`;
}

/** One of a few, as a row of buttons. */
export function Choice({ name, label, options, value, set }) {
  return html`<fieldset class="choice"><legend>${label}</legend><div>${options.map(
    ([key, text]) => html`
    <label class=${key === value ? 'on' : ''} key=${key}><input type="radio" name=${name} value=${key} checked=${key === value} onChange=${() => set(key)} /><span>${text}</span></label>`,
  )}
  </div></fieldset>`;
}

/** Saves a text, or its parts, as a file. */
export function save(name, text, kind) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text].flat(), { type: kind }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
