// Calls over time: how they ended, how long they had waited, at what hour people answer.
import { get } from '../api.js';
import { html, useEffect, useMemo, useRef, useState } from '../html.js';
import { Empty, Failure, Loading } from '../parts.js';
import { Numbers, Plot, times } from '../plot.js';
import { count, duration, lower, many, moment, OUTCOMES, percent, short_clock } from '../words.js';
import { ZONE } from '../zone.js';

/** The call log is read again so often while the page is seen, ms. */
const EVERY_MS = 60_000;
export const SPANS = { hour: 'Last hour', day: 'Last 24 hours', week: 'Last 7 days' };
const KINDS = { ...OUTCOMES, none: { name: 'Not known yet', tone: 'grey' } };
const at_of = (step) => (step.span === 'hour' ? short_clock(step.at) : moment(step.at));

/** What `load` answers, read again now and then: a log may be large. `{value, error, again}`. */
function useSlow(load, deps) {
  const [state, set] = useState({ value: null, error: null });
  const turn = useRef(0);
  const again = () => {
    const mine = ++turn.current;
    return load().then(
      (value) => mine === turn.current && set({ value, error: null }),
      (error) => mine === turn.current && set((old) => ({ ...old, error })),
    );
  };
  useEffect(() => {
    set({ value: null, error: null });
    again();
    const timer = setInterval(() => document.hidden || again(), EVERY_MS);
    return () => clearInterval(timer);
  }, deps);
  return { ...state, again };
}

/** All steps of the time, those without a call included. */
function whole(shown) {
  const by = new Map(shown.steps.map((each) => [Date.parse(each.at), each]));
  const first = Date.parse(shown.since);
  const steps = Math.ceil((Date.parse(shown.until) - first) / shown.stepMs);
  return Array.from({ length: steps }, (_, number) => {
    const at = first + number * shown.stepMs;
    return {
      at,
      span: shown.span,
      outcomes: {},
      waitMs: { p50: null, p90: null },
      ...(by.has(at) && { ...by.get(at), at }),
    };
  });
}

const sum = (outcomes) => Object.values(outcomes).reduce((total, number) => total + number, 0);
const rounded = (most) => Math.max(4, most * 1.05);

/** Bars that stand on each other: the value of each is added to those below it. */
function stacked(steps, kinds) {
  const rows = [];
  kinds.forEach((kind, at) =>
    rows.push(steps.map((step, x) => (at ? rows[at - 1][x] : 0) + (step.outcomes[kind] || 0))),
  );
  return [steps.map((step) => step.at / 1000), ...rows.reverse()];
}

function Legend({ names }) {
  return html`<ul class="legend">${names.map(([name, tone]) => html`<li key=${name}><i class=${`dot ${tone}`}></i>${name}</li>`)}</ul>`;
}

function Ended({ steps, span }) {
  const [over, point] = useState(null);
  const kinds = Object.keys(KINDS).filter((kind) => steps.some((step) => step.outcomes[kind]));
  const columns = useMemo(() => stacked(steps, kinds), [steps]);
  const lines = kinds.map((kind) => ({ tone: `${KINDS[kind].tone}-fill`, bars: true })).reverse();
  const total = (kind) => steps.reduce((all, step) => all + (step.outcomes[kind] || 0), 0);
  const all = steps.reduce((found, step) => found + sum(step.outcomes), 0);
  const step = over === null ? null : steps[over];
  const said = kinds.map((kind) => `${lower(KINDS[kind].name)} ${count(total(kind))}`);
  return html`<figure class="chart">
    <p class="readout">${
      step
        ? html`<strong>${many(sum(step.outcomes), 'call')}</strong> at ${at_of(step)}: ${
            kinds
              .filter((kind) => step.outcomes[kind])
              .map((kind) => `${lower(KINDS[kind].name)} ${count(step.outcomes[kind])}`)
              .join(', ') || 'none'
          }`
        : html`<strong>${many(all, 'call')}</strong>, ${said.join(', ')}`
    }</p>
    <${Plot} label=${`${many(all, 'call')} in the ${SPANS[span].toLowerCase()}: ${said.join(', ')}.`} columns=${columns} lines=${lines} across=${times} up=${count} top=${rounded} over=${point} />
    <${Legend} names=${kinds.map((kind) => [KINDS[kind].name, KINDS[kind].tone])} />
    <${Numbers} name="How calls ended, by time" head=${['Time', ...kinds.map((kind) => KINDS[kind].name)]} rows=${steps.filter((each) => sum(each.outcomes)).map((each) => [at_of(each), ...kinds.map((kind) => count(each.outcomes[kind] || 0))])} />
  </figure>`;
}

function Waited({ steps, span }) {
  const [over, point] = useState(null);
  const columns = useMemo(
    () => [
      steps.map((step) => step.at / 1000),
      steps.map((step) => step.waitMs.p90),
      steps.map((step) => step.waitMs.p50),
    ],
    [steps],
  );
  const known = steps.filter((each) => each.waitMs.p90 !== null);
  if (!known.length) return html`<p class="faint">No call was dialed for the first time.</p>`;
  const worst = known.reduce((one, other) => (other.waitMs.p90 > one.waitMs.p90 ? other : one));
  const step = over === null || steps[over].waitMs.p90 === null ? worst : steps[over];
  const said = `half within ${duration(step.waitMs.p50)}, 90% within ${duration(step.waitMs.p90)}`;
  const lines = [{ tone: 'amber-fill' }, { tone: 'blue-fill' }];
  return html`<figure class="chart">
    <p class="readout">${step === worst ? 'Longest ' : ''}at <strong>${at_of(step)}</strong>: ${said}</p>
    <${Plot} label=${`Waiting time in the ${SPANS[span].toLowerCase()}. Longest at ${at_of(worst)}: half within ${duration(worst.waitMs.p50)}, 90% within ${duration(worst.waitMs.p90)}.`} columns=${columns} lines=${lines} across=${times} up=${duration} top=${(most) => Math.max(1000, most * 1.05)} over=${point} />
    <${Legend} names=${[
      ['Median', 'blue'],
      ['90% under', 'amber'],
    ]} />
    <${Numbers} name="Waiting time, by time" head=${['Time', 'Median', '90% under']} rows=${known.map((each) => [at_of(each), duration(each.waitMs.p50), duration(each.waitMs.p90)])} />
  </figure>`;
}

const hour_name = (hour) => `${String(hour).padStart(2, '0')}:00`;
/** Hours in which fewer calls rang say little of when to call. */
const ENOUGH = 5;

function Hours({ hours }) {
  const [over, point] = useState(null);
  const columns = useMemo(
    () => [
      hours.map((each) => each.hour),
      hours.map((each) => (each.calls ? (100 * each.answered) / each.calls : null)),
    ],
    [hours],
  );
  const rung = hours.filter((each) => each.calls);
  if (!rung.length) return html`<p class="faint">No phone rang.</p>`;
  const rate = (each) => each.answered / each.calls;
  const sure = rung.filter((each) => each.calls >= ENOUGH);
  const best = (sure.length ? sure : rung).reduce((one, other) =>
    rate(other) > rate(one) ? other : one,
  );
  const shown = over === null || !hours[over].calls ? best : hours[over];
  const says = (each) =>
    `${percent(each.answered, each.calls) || '0%'} of ${many(each.calls, 'call')} answered`;
  return html`<figure class="chart">
    <p class="readout">${shown === best ? 'Best at ' : 'At '}<strong>${hour_name(shown.hour)}</strong>: ${says(shown)}</p>
    <${Plot} label=${`Calls that a person answered, by the hour of the day. Best at ${hour_name(best.hour)}: ${says(best)}.`} columns=${columns} lines=${[{ tone: 'green-fill', bars: true }]} clock=${false} across=${(_plot, splits) => splits.map((at) => (Number.isInteger(at) ? hour_name(at) : ''))} up=${(value) => `${value}%`} top=${() => 100} over=${point} />
    <${Numbers} name="Answered, by hour" head=${['Hour', 'Calls', 'Answered']} rows=${rung.map((each) => [hour_name(each.hour), count(each.calls), percent(each.answered, each.calls)])} />
  </figure>`;
}

function Charts({ shown }) {
  const steps = useMemo(() => whole(shown), [shown]);
  if (!shown.steps.length)
    return html`<${Empty} icon="phone" title="No call started in this time."><p class="faint">How calls end, how long they wait and when they are answered appear here.</p><//>`;
  return html`<section class="card"><header><h2>How they ended</h2></header><${Ended} steps=${steps} span=${shown.span} /></section>
    <section class="card"><header><h2>Waiting time</h2><span class="faint">of first attempts</span></header><${Waited} steps=${steps} span=${shown.span} /></section>
    ${shown.span !== 'hour' && html`<section class="card"><header><h2>When people answer</h2><span class="faint">by the hour of the day, ${ZONE}</span></header><${Hours} hours=${shown.hours} /></section>`}`;
}

export function TrendsPage({ span }) {
  const query = new URLSearchParams({ span, timezone: ZONE });
  const { value, error, again } = useSlow(() => get(`api/trends?${query}`), [span]);
  return html`<header class="page"><h1 tabindex="-1">Trends</h1></header>
    <nav class="tabs" aria-label="How far back">${Object.entries(SPANS).map(([key, name]) => html`<a key=${key} href=${`#/trends/${key}`} aria-current=${key === span ? 'page' : undefined}>${name}</a>`)}</nav>
    <p class="faint lead">From the call log, by when a call was last dialed.${value ? ` Up to ${moment(value.until)}.` : ''}</p>
    ${value ? html`<${Charts} shown=${value} />` : error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`}`;
}
