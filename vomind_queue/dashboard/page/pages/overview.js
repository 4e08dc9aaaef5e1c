// Is it calling, and if not, why and what to do; and the last hour.
import { get, now } from '../api.js';
import * as actions from '../actions.js';
import { Outcomes, Shares, Starts } from '../charts.js';
import { html } from '../html.js';
import { overview, useLive } from '../live.js';
import { Icon, Loading, Phone, Time, Urgency, useSecond } from '../parts.js';
import { useCell } from '../state.js';
import { count, distance, duration, many, moment, plain } from '../words.js';

const LOOKS = {
  calling: { icon: 'phone-call', tone: 'green', title: 'Calls are going out' },
  idle: { icon: 'circle-check', tone: 'green', title: 'Ready: no call is waiting' },
  held: { icon: 'timer', tone: 'amber', title: 'Held by the limit' },
  paused: { icon: 'pause', tone: 'amber', title: 'Paused' },
  stuck: { icon: 'triangle-alert', tone: 'red', title: 'Stuck' },
  away: { icon: 'phone-off', tone: 'red', title: 'The queue cannot be reached' },
};
const MARKS = { error: 'circle-alert', warning: 'triangle-alert', info: 'info' };

/** The verdict of the moment: `{state, title, icon, tone, reason}`. */
export function verdict({ shown, error }) {
  if (error) return { ...LOOKS.away, state: 'away' };
  const [reason] = shown.reasons;
  const said =
    ['paused', 'stuck'].includes(shown.state) && reason ? { title: reason.title, reason } : {};
  return { ...LOOKS[shown.state], state: shown.state, ...said };
}

function Countdown({ until }) {
  useSecond();
  const ms = new Date(until) - now();
  return html`<span class="countdown">${ms > 0 ? `in ${duration(Math.ceil(ms / 1000) * 1000)}` : 'now'}</span>`;
}

function Subline({ shown }) {
  const { state, stats, rateLimit } = shown;
  if (state === 'held')
    return html`<p>Next start <${Countdown} until=${rateLimit.nextStartAt} />. ${count(rateLimit.used)} of ${count(rateLimit.max)} starts are used in ${rateLimit.windowMs / 1000} seconds; ${many(stats.waiting, 'call')} ${stats.waiting === 1 ? 'waits' : 'wait'}.</p>`;
  if (state === 'paused')
    return html`<p>Since ${moment(shown.pausedAt)} (${distance(shown.pausedAt)}). ${shown.pauseReason || ''} ${many(stats.waiting, 'call')} ${stats.waiting === 1 ? 'waits' : 'wait'}; new ones are accepted.</p>`;
  if (state === 'stuck')
    return html`<p>${shown.reasons[0].detail}</p><p class="remedy"><strong>What to do</strong> ${shown.reasons[0].remedy}</p>`;
  if (state === 'idle')
    return html`<p>${stats.delayed ? `${many(stats.delayed, 'call')} scheduled for later.` : 'Nothing is scheduled either.'}</p>`;
  return html`<p>${many(stats.active, 'call')} being placed, ${count(stats.waiting)} waiting.</p>`;
}

function Hero({ live }) {
  const { shown, error } = live;
  const look = verdict(live);
  const frozen =
    shown &&
    (shown.paused
      ? html`<button type="button" class="primary" onClick=${() => actions.resume(shown)}><${Icon} name="play" />Resume</button>`
      : html`<button type="button" onClick=${() => actions.pause(shown)}><${Icon} name="pause" />Pause</button>`);
  return html`<section class=${`hero ${look.tone}`} aria-label="State of the queue">
    <span class="glyph"><${Icon} name=${look.icon} /></span>
    <div class="says"><h2 id="verdict" aria-live="polite">${look.title}</h2>
      ${error ? html`<p>${error.message}</p><p class="remedy"><strong>What to do</strong> Is the web process up, and does Redis run (redis-cli ping)? This page goes on by itself as soon as it answers.</p>` : html`<${Subline} shown=${shown} />`}</div>
    <div class="acts">${!error && frozen}<a class="button" href="#/place/now"><${Icon} name="plus" />Place a call</a></div>
  </section>`;
}

function Reasons({ shown }) {
  // The most serious one is in the headline already.
  const rest = shown.reasons.filter(
    (reason, at) =>
      !(at === 0 && ['paused', 'stuck'].includes(shown.state)) && reason.kind !== 'limit',
  );
  if (!rest.length) return null;
  return html`<section class="reasons" aria-label="What else to know">${rest.map(
    (reason) => html`
    <div class=${`notice ${reason.level}`} key=${reason.kind}><${Icon} name=${MARKS[reason.level]} />
      <div><strong>${reason.title}.</strong> ${reason.detail} <span class="faint">${reason.remedy}</span>${reason.until && html` <${Countdown} until=${reason.until} />`}</div></div>`,
  )}</section>`;
}

function Tile({ href, name, value, tone, children }) {
  return html`<a class=${`tile ${tone}`} href=${href}><span class="name">${name}</span><span class="value">${count(value)}</span>${children}</a>`;
}

function Tiles({ shown }) {
  const { stats, byPriority } = shown;
  return html`<section class="tiles" aria-label="Numbers">
    <a class="tile wide blue" href="#/calls/waiting"><span class="name">Waiting</span><span class="value">${count(stats.waiting)}</span>
      <${Shares} parts=${[
        ['high', byPriority.high, 'red'],
        ['normal', byPriority.normal, 'blue'],
        ['low', byPriority.low, 'grey'],
      ]} /></a>
    <${Tile} href="#/calls/active" name="Active" value=${stats.active} tone="teal"><span class="note">${shown.unknownOutcomes ? `${count(shown.unknownOutcomes)} with unknown outcomes` : 'being placed'}</span><//>
    <${Tile} href="#/calls/delayed" name="Scheduled" value=${stats.delayed} tone="violet"><span class="note">for later</span><//>
    <${Tile} href="#/calls/completed" name="Completed" value=${stats.completed} tone="green"><span class="note">placed at Twilio</span><//>
    <${Tile} href="#/calls/failed" name="Failed" value=${stats.failed} tone="red"><span class="note">${stats.failed ? 'see why' : 'none'}</span><//>
  </section>`;
}

function Waits({ waits }) {
  return html`<dl class="waits">${[
    ['Half of them within', waits.p50],
    ['Nine in ten within', waits.p90],
    ['All of them within', waits.max],
  ].map(
    ([name, ms]) => html`<div key=${name}><dt>${name}</dt><dd>${duration(ms)}</dd></div>`,
  )}</dl>`;
}

const Health = ({ good, name, children }) =>
  html`<div><dt><i class=${`dot ${good ? 'green' : 'red'}`}></i>${name}</dt><dd>${children}</dd></div>`;

function Parts({ shown }) {
  const { callLog: log, rateLimit: rate } = shown;
  return html`<dl class="parts">
    <${Health} name="Workers" good=${shown.workers > 0}>${shown.workers ? `${count(shown.workers)} at work` : 'none'}<//>
    <${Health} name="Scheduler" good=${shown.schedulerActive || !shown.recurring}>${shown.schedulerActive ? many(shown.recurring, 'recurring call') : shown.recurring ? 'not running' : 'none needed'}<//>
    <${Health} name="Call log" good=${log.shipperActive && log.behindMs < 30_000}>${!log.shipperActive ? 'not written' : log.pending ? `${many(log.pending, 'entry', 'entries')} on the way` : 'up to date'}<//>
    <${Health} name="Twilio" good=${!shown.circuitOpenUntil && shown.pausedBy !== 'system'}>${shown.circuitOpenUntil ? 'refuses calls' : shown.pausedBy === 'system' ? 'refuses the account' : 'takes calls'}<//>
    <${Health} name="Limit" good>${rate ? `${count(rate.used)} of ${count(rate.max)} used in ${rate.windowMs / 1000} s${rate.overridden ? ', changed by an operator' : ''}` : 'none'}<//>
  </dl>`;
}

function Few({ title, path, link, icon, none, row }) {
  const { value } = useLive(() => get(path), [path]);
  const jobs = value ? value.jobs : [];
  return html`<section class="card"><header><h2>${title}</h2><a href=${link}>All</a></header>
    ${jobs.length ? html`<ul class="few">${jobs.map((job) => html`<li key=${job.jobId}>${row(plain(job))}</li>`)}</ul>` : html`<p class="faint none"><${Icon} name=${icon} />${none}</p>`}</section>`;
}

export function OverviewPage() {
  const live = useCell(overview);
  const { shown } = live;
  if (!shown && !live.error)
    return html`<h1 tabindex="-1" class="hidden">Overview</h1><${Loading} />`;
  return html`<h1 tabindex="-1" class="hidden">Overview</h1>
    <${Hero} live=${live} />
    ${
      shown &&
      html`<${Reasons} shown=${shown} /><${Tiles} shown=${shown} />
    <div class="columns">
      <section class="card"><header><h2>Calls started a minute</h2></header><${Starts} minutes=${shown.lastHour.minutes} rate=${shown.rateLimit} /></section>
      <section class="card"><header><h2>How they ended</h2><span class="faint">last hour</span></header><${Outcomes} outcomes=${shown.lastHour.outcomes} /></section>
    </div>
    <div class="columns thirds">
      <section class="card"><header><h2>Waiting time</h2><span class="faint">last hour</span></header><${Waits} waits=${shown.lastHour.waitMs} /></section>
      <section class="card"><header><h2>Parts</h2></header><${Parts} shown=${shown} /></section>
    </div>
    <div class="columns halves">
      <${Few} title="Next to be dialed" path="api/queue/waiting?start=0&end=4" link="#/calls/waiting" icon="hourglass" none="No call is waiting."
        row=${(each) => html`<a href=${`#/call/${each.id}`}>${each.id}</a><${Phone} number=${each.to} /><${Urgency} priority=${each.priority} />`} />
      <${Few} title="Lately failed" path="api/queue/failed?start=0&end=4" link="#/calls/failed" icon="circle-check" none="No call has failed."
        row=${(each) => html`<a href=${`#/call/${each.id}`}>${each.id}</a><${Phone} number=${each.to} /><span class="cut" title=${each.reason}>${each.reason}</span><${Time} at=${each.finished} />`} />
    </div>`
    }`;
}
