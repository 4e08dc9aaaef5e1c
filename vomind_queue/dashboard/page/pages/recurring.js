// Recurring calls: all of them, and one.
import { get, job_path } from '../api.js';
import * as actions from '../actions.js';
import { edit_recurring, run_now } from '../edit.js';
import { html } from '../html.js';
import { useLive } from '../live.js';
import {
  Badge,
  Empty,
  Failure,
  Icon,
  Loading,
  Pager,
  Phone,
  Pill,
  Time,
  Urgency,
} from '../parts.js';
import { count, many, outcome, there, whole } from '../words.js';

const ON_PAGE = 25;
const number_of = (job) => job.jobId.split(':')[1];

function Buttons({ job, small, then }) {
  const size = small ? 'small' : '';
  return html`${
    job.status === 'paused'
      ? html`<button type="button" class=${size} aria-label=${`Resume ${job.jobId}`} onClick=${() => actions.resume_recurring(job)}><${Icon} name="play" />Resume</button>`
      : job.status === 'recurring' &&
        html`<button type="button" class=${size} aria-label=${`Pause ${job.jobId}`} onClick=${() => actions.pause_recurring(job)}><${Icon} name="pause" />Pause</button>`
  }
    ${!small && html`<button type="button" onClick=${() => run_now(job)}><${Icon} name="phone-outgoing" />Run once now</button>${job.status !== 'ended' && html`<button type="button" onClick=${() => edit_recurring(job)}><${Icon} name="pencil" />Change</button>`}<button type="button" class="danger" onClick=${() => actions.stop_recurring(job, then)}><${Icon} name="trash-2" />Stop for good</button>`}`;
}

export function RecurringPage({ query }) {
  const page = Math.max(0, Number.parseInt(query.get('page') || '0', 10) || 0);
  const path = `api/queue/recurring?start=${page * ON_PAGE}&end=${(page + 1) * ON_PAGE - 1}`;
  const { value, error, again } = useLive(() => get(path), [path]);
  return html`<header class="page"><h1 tabindex="-1">Recurring calls</h1><div class="acts"><a class="button" href="#/place/recurring"><${Icon} name="plus" />New</a></div></header>
    ${
      !value
        ? error
          ? html`<${Failure} error=${error} again=${again} />`
          : html`<${Loading} />`
        : !value.total
          ? html`<${Empty} icon="repeat" title="There are no recurring calls."><p><a class="button" href="#/place/recurring">Make the first one</a></p><//>`
          : html`<div class="table-box"><table class="calls"><caption class="hidden">Recurring calls, soonest first</caption>
        <thead><tr><th scope="col">When</th><th scope="col">Number</th><th scope="col">Next run</th><th scope="col">Last run</th><th scope="col">Runs</th><th scope="col">State</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
        <tbody>${value.jobs.map(
          (job) => html`<tr key=${job.jobId}>
          <td data-name="When" class="grow"><a href=${`#/recurring/${number_of(job)}`}><strong>${job.description || job.cronExpression || job.jobId}</strong></a><br /><span class="faint">${[job.timezone, job.key, job.data && job.data.lead_id].filter(Boolean).join(' · ')}</span>${job.data && html`<span class="cut faint" title=${job.data.message}>${job.data.message}</span>`}</td>
          <td data-name="Number">${job.data ? html`<${Phone} number=${job.data.to} />` : '–'}</td>
          <td data-name="Next run"><${Time} at=${job.nextRuns && job.nextRuns[0]} far /></td>
          <td data-name="Last run">${job.lastJob ? html`<${Last} run=${job.lastJob} />` : html`<span class="faint">none yet</span>`}</td>
          <td data-name="Runs">${job.firedRuns ? count(job.firedRuns.count) : '–'}</td>
          <td data-name="State"><${Status} job=${job} /></td>
          <td class="acts"><${Buttons} job=${job} small /></td></tr>`,
        )}</tbody></table></div>
        <${Pager} path="#/recurring" page=${page} size=${ON_PAGE} total=${value.total} />`
    }`;
}

/** The state of a recurring call; in a list of such, "recurring" would say nothing. */
const Status = ({ job }) =>
  job.status === 'recurring'
    ? html`<span class="badge green"><${Icon} name="circle-check" />Active</span>`
    : html`<${Badge} state=${job.status} />`;

function Last({ run }) {
  const said = outcome(run.call);
  return html`<a href=${`#/call/${run.jobId}`}><${Time} at=${run.scheduledFor} /></a> ${said ? html`<${Pill} tone=${said.tone}>${said.name}<//>` : run.state && html`<${Badge} state=${run.state} />`}`;
}

const Fact = ({ name, children }) => html`<div><dt>${name}</dt><dd>${children}</dd></div>`;

function Times({ title, runs }) {
  if (!runs.count) return null;
  return html`<p>${many(runs.count, 'run')} ${title}${runs.last && runs.last.length ? html`, lately <${Time} at=${runs.last[0]} />` : ''}.</p>`;
}

export function SchedulePage({ number }) {
  const {
    value: job,
    error,
    again,
  } = useLive(() => get(job_path(`recurring:${number}`)), [number]);
  const back = html`<p class="crumbs"><a href="#/recurring"><${Icon} name="arrow-left" />Recurring calls</a></p>`;
  if (!job)
    return html`${back}<header class="page"><h1 tabindex="-1">Recurring call ${number}</h1></header>${error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`}`;
  return html`${back}<header class="page"><h1 tabindex="-1">${job.description || job.cronExpression} <${Status} job=${job} /></h1>
      <div class="acts"><${Buttons} job=${job} then=${() => {
        location.hash = '#/recurring';
      }} /></div></header>
    ${job.pausedBy && html`<div class="notice warning"><${Icon} name="pause" /><div><strong>Paused by ${job.pausedBy}</strong>, <${Time} at=${job.pausedAt} />.</div></div>`}
    <div class="columns story">
      <section class="card"><header><h2>Runs</h2><span class="faint">next ones as clocks show them in ${job.timezone}</span></header>
        <h3>Next</h3>${job.nextRuns.length ? html`<ol class="runs">${job.nextRuns.map((run) => html`<li key=${run}><time dateTime=${run} title=${whole(run)}>${there(run, job.timezone)}</time><span class="faint"><${Time} at=${run} far /></span></li>`)}</ol>` : html`<p class="faint">None.</p>`}
        <h3>Last</h3>${job.lastRuns.length ? html`<ol class="runs">${job.lastRuns.map((run) => html`<li key=${run.jobId}><${Last} run=${run} /></li>`)}</ol>` : html`<p class="faint">None yet.</p>`}
        <${Times} title="missed: nothing ran when they were due" runs=${job.missedRuns} /><${Times} title="left out: the one before had not ended" runs=${job.skippedRuns} /></section>
      <section class="card"><header><h2>The call</h2></header><dl class="facts">
        <${Fact} name="Number"><${Phone} number=${job.data.to} /><//><${Fact} name="Lead">${job.data.lead_id ?? html`<span class="faint">–</span>`}<//><${Fact} name="Priority"><${Urgency} priority=${job.priority} /><//>
        <${Fact} name="Pattern"><code>${job.cronExpression}</code><//><${Fact} name="Fired">${count(job.firedRuns.count)}${job.maxRuns ? ` of ${count(job.maxRuns)}` : ''}<//><${Fact} name="Overlap">${job.overlap}<//>
        ${job.startAt && html`<${Fact} name="Not before"><${Time} at=${job.startAt} /><//>`}${job.endAt && html`<${Fact} name="Not after"><${Time} at=${job.endAt} /><//>`}</dl>
        <h3>Message</h3><blockquote>${job.data.message}</blockquote></section>
    </div>`;
}
