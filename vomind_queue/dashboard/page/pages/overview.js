// Is it calling, and if not, why and what to do; and the last hour.
import { get, now } from '../api.js';
import * as actions from '../actions.js';
import { Outcomes, Shares, Starts } from '../charts.js';
import { html } from '../html.js';
import { overview, useLive } from '../live.js';
import { Copy, Icon, Loading, Phone, Time, Urgency, useSecond } from '../parts.js';
import { useCell } from '../state.js';
import { HEADED, verdict } from '../verdict.js';
import { brief, clock, count, distance, duration, many, moment, plain } from '../words.js';

/** Reasons that last until all unknown outcomes are reconciled. */
const RECONCILED = ['not-answering', 'unknown-outcomes'];
const MARKS = { error: 'circle-alert', warning: 'triangle-alert', info: 'info' };

function Countdown({ until }) {
  useSecond();
  const ms = new Date(until) - now();
  return html`<span class="countdown">${ms > 0 ? `in ${duration(Math.ceil(ms / 1000) * 1000)}` : 'now'}</span>`;
}

/** "per minute", or "in 30 s": how long the window of the limit is. */
const per = (ms) => (ms === 60_000 ? 'per minute' : `in ${duration(ms)}`);
const ago = (iso) => (distance(iso) === 'now' ? 'just now' : distance(iso));

/** What to do; a command in it can be copied. */
function Remedy({ text }) {
  const [, before, command, after] = /^(.*?: )((?:celery|python|vomind-queue) [^.]+)(.*)$/s.exec(
    text,
  ) || [null, text, null, ''];
  return html`<p class="remedy"><strong>What to do</strong> ${before}${command && html`<code>${command}</code> <${Copy} text=${command} />`}${after}</p>`;
}

/** By when unknown outcomes are reconciled: after that, as soon as Twilio's list can be read. */
function Reconciled({ by }) {
  useSecond();
  if (!by) return null;
  const left = new Date(by) - now();
  return html`<p>${left > 0 ? html`Each is checked until <strong>${clock(by)}</strong> (<${Countdown} until=${by} />), then dialed again if it did not ring. ` : 'Each is dialed again, if it did not ring, as soon as Twilio’s list of calls can be read. '}<a href="#/calls/active">See these calls</a></p>`;
}

function Unanswered({ shown }) {
  const [reason] = shown.reasons;
  return html`<p>No clear answer since <strong>${clock(shown.unansweredSince)}</strong>. ${reason.detail}</p><${Reconciled} by=${reason.until} /><${Remedy} text=${reason.remedy} />`;
}

function Away({ live }) {
  const what = live.error.status ? 'Redis has' : 'The web process has';
  return html`<p>${what} not answered since ${clock(live.since)}. Retrying.</p><${Remedy} text=${live.error.status ? 'See whether Redis runs: redis-cli ping. This page goes on by itself.' : 'See whether the web process runs, and whether this machine reaches it. This page goes on by itself.'} />`;
}

function Subline({ shown }) {
  const { state, stats, rateLimit } = shown;
  if (state === 'held')
    return html`<p>Next call <${Countdown} until=${rateLimit.nextStartAt} />. ${count(rateLimit.used)} of ${count(rateLimit.max)} calls ${per(rateLimit.windowMs)} used. ${count(stats.waiting)} waiting.</p>`;
  if (state === 'paused')
    return html`<p>Since ${moment(shown.pausedAt)}, ${ago(shown.pausedAt)}. ${shown.pauseReason ? `“${shown.pauseReason}”. ` : ''}${count(stats.waiting)} waiting; new calls are accepted.</p>`;
  if (state === 'unanswered') return html`<${Unanswered} shown=${shown} />`;
  if (state === 'stuck')
    return html`<p>${shown.reasons[0].detail}</p>${shown.pausedBy === 'system' && html`<p>Calling stopped at ${moment(shown.pausedAt)}; ${count(stats.waiting)} waiting, none lost.</p>`}<${Remedy} text=${shown.reasons[0].remedy} />`;
  if (state === 'idle')
    return html`<p>${stats.delayed ? `${many(stats.delayed, 'call')} scheduled for later.` : 'Nothing is scheduled either.'}</p>`;
  return html`<p>${many(stats.active - shown.unknownOutcomes, 'call')} being dialed, ${count(stats.waiting)} waiting${shown.emptyAt ? `; the last one is dialed at about ${clock(shown.emptyAt)}` : ''}.</p>`;
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
      ${error ? html`<${Away} live=${live} />` : html`<${Subline} shown=${shown} />`}</div>
    ${!error && html`<div class="acts">${frozen}<a class="button" href="#/place/now"><${Icon} name="plus" />Place a call</a></div>`}
  </section>`;
}

function Reasons({ shown }) {
  // The most serious one is in the headline already.
  const rest = shown.reasons.filter(
    (reason, at) => !(at === 0 && HEADED.includes(shown.state)) && reason.kind !== 'limit',
  );
  if (!rest.length) return null;
  return html`<section class="reasons" aria-label="What else to know">${rest.map(
    (reason) => html`
    <div class=${`notice ${reason.level}`} key=${reason.kind}><${Icon} name=${MARKS[reason.level]} />
      <div><strong>${reason.title}.</strong> ${reason.detail} <span class="faint">${reason.remedy}</span>${RECONCILED.includes(reason.kind) ? html`<${Reconciled} by=${reason.until} />` : reason.until && html` <${Countdown} until=${reason.until} />`}</div></div>`,
  )}</section>`;
}

function Tile({ href, name, value, tone, children }) {
  return html`<a class=${`tile ${tone}`} href=${href}><span class="name">${name}</span><span class="value">${count(value)}</span>${children}</a>`;
}

/** Since when the first call waits, and when the last one is dialed. */
function Oldest({ shown }) {
  useSecond();
  const waited = now() - new Date(shown.oldestWaitingAt);
  return html`oldest waiting ${duration(Math.max(1000, Math.round(waited / 1000) * 1000))}${shown.emptyAt && html`, empty at about ${clock(shown.emptyAt)}`}`;
}

function Tiles({ shown }) {
  const { stats, byPriority, onTheLine: line } = shown;
  return html`<section class="tiles" aria-label="Numbers">
    <div class="tile wide blue"><a class="name" href="#/calls/waiting">Waiting</a><span class="value">${count(stats.waiting)}</span>
      <${Shares} parts=${[
        ['high', byPriority.high, 'red', '#/calls?state=waiting&priority=high'],
        ['normal', byPriority.normal, 'grey', '#/calls?state=waiting&priority=normal'],
        ['low', byPriority.low, 'faintest', '#/calls?state=waiting&priority=low'],
      ]} />${stats.waiting > 0 && html`<span class="note"><${Oldest} shown=${shown} /></span>`}</div>
    <${Tile} href="#/calls/active" name=${shown.unknownOutcomes ? 'Dialing or unclear' : 'Dialing'} value=${stats.active} tone="grey"><span class="note">${shown.unknownOutcomes ? `${count(shown.unknownOutcomes)} may or may not have rung` : 'Twilio is being asked'}</span><//>
    <${Tile} href="#/calls?state=completed&outcome=none" name="On the line" value=${line.dialing + line.ringing + line.talking} tone="teal"><span class="note">${count(line.ringing)} ringing, ${count(line.talking)} talking</span><//>
    <${Tile} href="#/calls/delayed" name="Scheduled" value=${stats.delayed} tone="violet"><span class="note">for later, or a retry</span><//>
    <${Tile} href="#/calls/completed" name="Placed" value=${stats.completed} tone="green"><span class="note">Twilio took the call</span><//>
    <${Tile} href="#/calls/failed" name="Failed" value=${stats.failed} tone="red"><span class="note">${stats.failed ? 'see why' : 'none'}</span><//>
  </section>`;
}

function Waits({ waits }) {
  return html`<dl class="waits">${[
    ['Median', waits.p50],
    ['90% under', waits.p90],
    ['Longest', waits.max],
  ].map(
    ([name, ms]) =>
      html`<div key=${name}><dt>${name}</dt><dd>${ms && !name.endsWith('under') ? 'under ' : ''}${duration(ms)}</dd></div>`,
  )}</dl>`;
}

const Health = ({ good, name, children }) =>
  html`<div><dt><i class=${`dot ${good ? 'green' : good === null ? 'amber' : 'red'}`}></i>${name}</dt><dd>${children}</dd></div>`;

/** How Twilio stands: `[good, words]`; null where its answers are not clear. */
function at_twilio(shown) {
  if (shown.circuitOpenUntil) return [false, 'refuses calls'];
  if (shown.pausedBy === 'system') return [false, 'rejects our account'];
  if (shown.reasons.some((reason) => reason.kind === 'not-answering'))
    return [null, `no clear answer since ${clock(shown.unansweredSince)}`];
  return [true, 'takes calls'];
}

function Parts({ shown }) {
  const { callLog: log, rateLimit: rate } = shown;
  const [good, said] = at_twilio(shown);
  return html`<dl class="parts">
    <${Health} name="Workers" good=${shown.workers > 0}>${shown.workers ? `${count(shown.workers)} at work` : 'none'}<//>
    <${Health} name="Scheduler" good=${shown.schedulerActive || !shown.recurring}>${shown.schedulerActive ? many(shown.recurring, 'recurring call') : shown.recurring ? 'not running' : 'none needed'}<//>
    <${Health} name="Call log" good=${log.shipperActive && log.behindMs < 30_000}>${!log.shipperActive ? 'not written' : log.pending ? `${many(log.pending, 'entry', 'entries')} on the way` : 'up to date'}<//>
    <${Health} name="Twilio" good=${good}>${said}<//>
    <${Health} name="Limit" good>${rate ? `${count(rate.used)} of ${count(rate.max)} used ${per(rate.windowMs)}${rate.overridden ? ', changed by an operator' : ''}` : 'none'}<//>
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
      html`${live.error && html`<p class="as-of" role="status"><${Icon} name="clock" />As of ${clock(live.at)}. Everything below may have changed since.</p>`}
    <div class=${live.error ? 'stale' : ''}><${Reasons} shown=${shown} /><${Tiles} shown=${shown} />
    <div class="columns">
      <section class="card"><header><h2>Calls per minute</h2></header><${Starts} minutes=${shown.lastHour.minutes} rate=${shown.rateLimit} /></section>
      <section class="card"><header><h2>How they ended</h2><span class="faint">last hour</span></header><${Outcomes} outcomes=${shown.lastHour.outcomes} /></section>
    </div>
    <div class="columns thirds">
      <section class="card"><header><h2>Waiting time</h2><span class="faint">last hour, and now</span></header><${Waits} waits=${shown.lastHour.waitMs} /></section>
      <section class="card"><header><h2>Services</h2></header><${Parts} shown=${shown} /></section>
    </div>
    <div class="columns halves">
      <${Few} title="Next to be dialed" path="api/queue/waiting?start=0&end=4" link="#/calls/waiting" icon="hourglass" none="No call is waiting."
        row=${(each) => html`<a href=${`#/call/${each.id}`}>${each.id}</a><${Phone} number=${each.to} /><${Urgency} priority=${each.priority} />`} />
      <${Few} title="Recent failures" path="api/queue/failed?start=0&end=4" link="#/calls/failed" icon="circle-check" none="No call has failed."
        row=${(each) => html`<a href=${`#/call/${each.id}`}>${each.id}</a><${Phone} number=${each.to} /><span class="cut" title=${each.reason}>${brief(each.reason)}</span><${Time} at=${each.finished} />`} />
    </div></div>`
    }`;
}
