// Campaigns: all of them, and one.
import { get, post } from '../api.js';
import { html } from '../html.js';
import { touched, useLive } from '../live.js';
import { confirm, Empty, Failure, Icon, Loading, Pager, say, Time } from '../parts.js';
import { count, many } from '../words.js';
import { Plan } from './campaign_plan.js';

export const LIST = 'api/queue/campaigns';
const ON_PAGE = 25;
const STATES = {
  draft: ['Draft', 'pencil', 'grey'],
  scheduled: ['Scheduled', 'clock', 'violet'],
  running: ['Running', 'phone-outgoing', 'green'],
  paused: ['Paused', 'pause', 'amber'],
  finished: ['Finished', 'circle-check', 'grey'],
  cancelled: ['Cancelled', 'ban', 'grey'],
};
const PARTS = {
  waiting: 'Waiting',
  delayed: 'Scheduled',
  active: 'Active',
  'on-line': 'On the line',
  answered: 'Answered',
  machine: 'Voicemail',
  busy: 'Busy',
  'no-answer': 'No answer',
  unreachable: 'Network error',
  'hung-up': 'Hung up by us',
  unknown: 'Not known',
  failed: 'Failed',
  expired: 'Expired',
  'do-not-call': 'Do not call',
  cancelled: 'Cancelled',
};
const left = ({ counts }) => counts.waiting + counts.delayed;

/** What may be done in which states, and what is said of it first. */
const DEEDS = {
  start: {
    in: ['draft'],
    name: 'Start',
    icon: 'play',
    title: (name) => `Start ${name}?`,
    touches: (shown) => `${many(left(shown), 'call')} will be dialed, each when its turn comes.`,
    after: 'Pause and Cancel stop it at any time.',
    done: 'The campaign is started.',
  },
  pause: {
    in: ['running'],
    name: 'Pause',
    icon: 'pause',
    title: (name) => `Pause ${name}?`,
    touches: (shown) =>
      `None of its calls starts from now on: ${many(left(shown), 'call')} stay where they are. Calls that are being placed go on.`,
    done: 'The campaign is paused.',
  },
  resume: {
    in: ['paused'],
    name: 'Resume',
    icon: 'play',
    title: (name) => `Resume ${name}?`,
    touches: (shown) => `${many(left(shown), 'call')} will be dialed, each when its turn comes.`,
    done: 'The campaign goes on.',
  },
  cancel: {
    in: ['draft', 'scheduled', 'running', 'paused'],
    name: 'Cancel',
    icon: 'ban',
    danger: true,
    title: (name) => `Cancel ${name}?`,
    touches: (shown) =>
      `${many(left(shown), 'call')} that have not started are never placed. Calls that are being placed go on.`,
    after: 'This cannot be undone.',
    done: 'The campaign is cancelled.',
  },
};

export function steer(deed, shown) {
  const { name, title, touches, after, danger, done } = DEEDS[deed];
  confirm({
    title: title(`“${shown.data.name}”`),
    touches: touches(shown),
    after,
    danger,
    yes: `${name} the campaign`,
    no: 'Leave it',
    run: async () => {
      await post(`${LIST}/${shown.campaignId}/${deed}`);
      say(done);
      await touched();
    },
  });
}

function State({ state }) {
  const [name, icon, tone] = STATES[state];
  return html`<span class=${`badge ${tone}`}><${Icon} name=${icon} />${name}</span>`;
}

/** The parts that have calls, in words. */
const parts_of = ({ counts }) =>
  Object.keys(PARTS)
    .filter((part) => counts[part])
    .map((part) => [PARTS[part], counts[part]]);

function Row({ shown }) {
  const { campaignId: id, data, counts } = shown;
  const found = parts_of(shown);
  return html`<tr><td data-name="Name" class="grow"><a href=${`#/campaigns/${id}`}><strong>${data.name}</strong></a></td>
    <td data-name="State"><${State} state=${shown.state} /></td><td data-name="Calls">${count(counts.total)}</td>
    <td data-name="Where they are" class="grow">${found.length ? found.map(([name, number]) => `${name} ${count(number)}`).join(' · ') : html`<span class="faint">–</span>`}</td>
    <td data-name="Pace">${data.pace || html`<span class="faint">–</span>`}</td></tr>`;
}

export function CampaignsPage({ query }) {
  const page = Math.max(0, Number.parseInt(query.get('page') || '0', 10) || 0);
  const path = `${LIST}?start=${page * ON_PAGE}&end=${(page + 1) * ON_PAGE - 1}`;
  const { value, error, again } = useLive(() => get(path), [path]);
  return html`<header class="page"><h1 tabindex="-1">Campaigns</h1><div class="acts"><a class="button primary" href="#/campaigns/new"><${Icon} name="plus" />New campaign</a></div></header>
    ${
      !value
        ? error
          ? html`<${Failure} error=${error} again=${again} />`
          : html`<${Loading} />`
        : !value.total
          ? html`<${Empty} icon="send" title="There are no campaigns."><p>A campaign is many calls that are steered together: upload a list to make one.</p><//>`
          : html`<div class="table-box"><table class="calls texts"><caption class="hidden">Campaigns, newest first</caption>
        <thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Calls</th><th scope="col">Where they are</th><th scope="col">Pace</th></tr></thead>
        <tbody>${value.campaigns.map((shown) => html`<${Row} key=${shown.campaignId} shown=${shown} />`)}</tbody></table></div>
        <${Pager} path="#/campaigns" page=${page} size=${ON_PAGE} total=${value.total} />`
    }`;
}

const Fact = ({ name, children }) => html`<div><dt>${name}</dt><dd>${children}</dd></div>`;

function Why({ reasons }) {
  return reasons.map(
    (each) =>
      html`<div key=${each.kind} class="notice warning"><${Icon} name="info" /><div>${each.text}${each.until && html` Until <${Time} at=${each.until} />.`}</div></div>`,
  );
}

function Facts({ shown }) {
  const { data } = shown;
  return html`<dl class="facts"><${Fact} name="Priority">${data.priority}<//><${Fact} name="Weight">${data.weight}<//>
    <${Fact} name="Pace">${data.pace || 'as the queue'}<//>${data.maxConcurrent && html`<${Fact} name="At a time">${count(data.maxConcurrent)}<//>`}
    ${data.startAt && html`<${Fact} name="Not before"><${Time} at=${data.startAt} /><//>`}${data.endAt && html`<${Fact} name="Ends at"><${Time} at=${data.endAt} /><//>`}
    ${data.hours && html`<${Fact} name="Hours">${data.hours}<//>`}
    <${Fact} name="Created"><${Time} at=${shown.createdAt} /><//>${shown.startedAt && html`<${Fact} name="Started"><${Time} at=${shown.startedAt} /><//>`}
    ${shown.endedAt && html`<${Fact} name="Ended"><${Time} at=${shown.endedAt} /><//>`}${shown.expectedEnd && html`<${Fact} name="Last start about"><${Time} at=${shown.expectedEnd} /><//>`}
    ${shown.steeredBy && html`<${Fact} name="Last steered by">${shown.steeredBy}<//>`}</dl>`;
}

export function CampaignPage({ id }) {
  const path = `${LIST}/${encodeURIComponent(id)}`;
  const { value: shown, error, again } = useLive(() => get(path), [path]);
  const back = html`<p class="crumbs"><a href="#/campaigns"><${Icon} name="arrow-left" />Campaigns</a></p>`;
  if (!shown)
    return html`${back}<header class="page"><h1 tabindex="-1">Campaign ${id}</h1></header>${error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`}`;
  const deeds = Object.entries(DEEDS).filter(([, deed]) => deed.in.includes(shown.state));
  return html`${back}<header class="page"><h1 tabindex="-1">${shown.data.name} <${State} state=${shown.state} /></h1>
      <div class="acts">${deeds.length > 0 && html`<a class="button" href=${`#/campaigns/${id}/list`}><${Icon} name="file-spreadsheet" />Add a list</a>`}${deeds.map(([key, { name, icon, danger }]) => html`<button type="button" key=${key} class=${danger ? 'danger' : ''} onClick=${() => steer(key, shown)}><${Icon} name=${icon} />${name}</button>`)}</div></header>
    <${Why} reasons=${shown.reasons} />
    <div class="columns halves"><section class="card"><header><h2>Calls</h2><span class="faint">${many(shown.counts.total, 'call')}</span></header>
      ${shown.counts.total ? html`<dl class="facts">${parts_of(shown).map(([name, number]) => html`<${Fact} key=${name} name=${name}>${count(number)}<//>`)}</dl>` : html`<p class="faint">None yet.</p>`}</section>
    <section class="card"><header><h2>The campaign</h2></header><${Facts} shown=${shown} /></section>
    ${deeds.length > 0 && html`<${Plan} path=${path} shown=${shown} />`}</div>`;
}
