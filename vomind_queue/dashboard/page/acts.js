// What is done to many calls: asked first, sent as one request, and shown until it is over.
import { call, fresh_key, get, now, post } from './api.js';
import { api_filters, queue_list, words_of } from './filters.js';
import { html, useLayoutEffect } from './html.js';
import { touched } from './live.js';
import { attempt, Choice, confirm, Field, Icon } from './parts.js';
import { cell, useCell } from './state.js';
import { count, many, STATES } from './words.js';
import { from_wall, to_wall, ZONE } from './zone.js';

const PRIORITIES = [
  ['high', 'High'],
  ['normal', 'Normal'],
  ['low', 'Low'],
];
const AHEAD = ['waiting', 'delayed'];
const EVERY_MS = 500;

const states_in = (filters) => (filters.state ? words_of(filters.state) : Object.keys(STATES));

/** One act: its button, the states of the calls that it is for, and its words. */
function act(label, icon, states, words) {
  return {
    label,
    icon,
    states,
    ...words,
    whose:
      words.whose || `are ${states.map((state) => STATES[state].name.toLowerCase()).join(' or ')}`,
    fits: ({ jobs, filters }) =>
      (jobs ? jobs.map((job) => job.state) : states_in(filters)).some((each) =>
        states.includes(each),
      ),
  };
}

export const ACTS = {
  cancel: act('Cancel', 'x', AHEAD, {
    title: (number) => `Cancel ${number}?`,
    touches: 'They are taken out of the queue and never placed.',
    after: 'This cannot be undone as one; the list of cancelled calls has them, to call again.',
    yes: 'Cancel them',
    no: 'Keep them',
    danger: true,
    done: 'cancelled',
    body: { act: 'cancel' },
  }),
  retry: act('Retry', 'rotate-ccw', ['failed'], {
    title: (number) => `Try ${number} again?`,
    touches: 'Each phone will ring when its turn comes, with a full set of attempts.',
    after: 'While they wait, they can still be cancelled, or the queue paused.',
    yes: 'Try them again',
    done: 'back in the queue',
    body: { act: 'retry' },
  }),
  again: act('Call again', 'phone-outgoing', ['completed', 'failed', 'cancelled'], {
    title: (number) => `Call ${number} again?`,
    touches:
      'Each is placed once more as a new call, as it was asked for. These phones ring again.',
    after: 'While they wait, they can still be cancelled, or the queue paused.',
    yes: 'Call them again',
    done: 'called again',
    body: { act: 'again' },
  }),
  priority: act('Priority', 'gauge', AHEAD, {
    title: (number) => `Change the priority of ${number}?`,
    touches: Priority,
    yes: 'Change it',
    done: 'changed',
    body: { act: 'change' },
  }),
  time: act('Time', 'calendar-clock', AHEAD, {
    title: (number) => `Move ${number} to another time?`,
    touches: Time,
    after: 'All of them are due at that time; the rate limit holds.',
    yes: 'Move them',
    done: 'moved',
    body: { act: 'change' },
  }),
};

function Priority({ choice, choose }) {
  const priority = choice.body ? choice.body.priority : null;
  return html`<${Choice} name="new-priority" label="New priority" options=${PRIORITIES} value=${priority} set=${(next) => choose({ body: { priority: next } })} />`;
}

function Time({ choice, choose }) {
  const set = (wall) => {
    try {
      choose({ wall, body: { scheduleAt: from_wall(wall) } });
    } catch (error) {
      choose({ wall, blocked: true, fault: error.message });
    }
  };
  // Before anybody can type: later it would undo that.
  useLayoutEffect(() => set(to_wall(now() + 3_600_000)), []);
  return html`<${Field} id="new-time" label="New time" hint=${`In ${ZONE}.`} errors=${choice.fault && [choice.fault]}>${(aria) => html`<input ...${aria} type="datetime-local" value=${choice.wall || ''} onInput=${(event) => set(event.target.value)} />`}<//>`;
}

/** How many calls match and are in one of these states; null where nobody counts. */
async function matching(filters, states) {
  const state = states_in(filters).filter((each) => states.includes(each));
  const wanted = { ...filters, state: state.join(',') };
  const own = queue_list(wanted);
  if (own) return (await get(`api/queue/${own}?start=0&end=0`)).total;
  const query = new URLSearchParams({ ...api_filters(wanted), count: true, limit: 1 });
  return (await get(`api/calls?${query}`)).total ?? null;
}

/** Asks before something is done to `{jobs}`, or to all that match `{filters}`. */
export async function act_on(name, { jobs, filters }, then) {
  const { states, body, whose, ...words } = ACTS[name];
  const fitting = jobs && jobs.filter((job) => states.includes(job.state));
  const number = fitting ? fitting.length : await attempt(() => matching(filters, states));
  if (number === undefined) return;
  const rest = fitting ? jobs.length - number : 0;
  const left = rest
    ? ` ${many(rest, 'selected call is', 'selected calls are')} left alone: this is for calls that ${whose}.`
    : filters && name !== 'again'
      ? ` Only calls in the queue that ${whose} are meant; one that rings meanwhile is left alone.`
      : '';
  confirm({
    ...words,
    title: words.title(number === null ? 'all calls that match' : many(number, 'call')),
    touches: words.touches.call ? words.touches : `${words.touches}${left}`,
    after: [words.after, words.touches.call && left].filter(Boolean).join(''),
    run: async (choice) => {
      const target = fitting
        ? { jobIds: fitting.map((job) => job.jobId) }
        : { match: api_filters(filters) };
      begin({ name, done: words.done, body: { ...body, ...target, ...choice.body } });
      then();
    },
  });
}

// ---- What was ordered, until it is over and read ------------------------------------------

/** `{key, name, done, body, progress, error}` each; the key makes a repeated request the same. */
const orders = cell([]);
const put = (order) =>
  orders.set(orders.get().map((each) => (each.key === order.key ? order : each)));
const drop = (order) => orders.set(orders.get().filter(({ key }) => key !== order.key));

function begin(order) {
  const fresh = { ...order, key: fresh_key(), progress: null, error: null };
  orders.set([...orders.get(), fresh]);
  return send(fresh);
}

/** Sends an order, or the same again: it goes on where it stopped, and does nothing twice. */
const send = (order) =>
  step(order, () => post('api/acts', order.body, { 'Idempotency-Key': order.key }));

const stop = (order) => step(order, () => call('DELETE', `api/acts/${order.progress.id}`));

async function step(order, ask) {
  try {
    const progress = await ask();
    const next = { ...order, progress, error: null };
    put(next);
    if (['selecting', 'running'].includes(progress.status))
      setTimeout(() => step(next, () => get(`api/acts/${progress.id}`)), EVERY_MS);
    else touched();
  } catch (error) {
    put({ ...order, error });
  }
}

function Result({ each }) {
  return html`<li><a href=${`#/call/${encodeURIComponent(each.jobId)}`}>${each.jobId}</a> ${each.newJobId ? html`is now <a href=${`#/call/${encodeURIComponent(each.newJobId)}`}>call ${each.newJobId}</a>` : each.detail || 'done'}</li>`;
}

/** How far it is, in a sentence. */
function told({ progress, done, error }) {
  if (error) return `${error.message} What was done stays done; sent again, it goes on.`;
  if (!progress) return 'Sending …';
  const { status, total, handled, counts, more } = progress;
  if (status === 'selecting') return 'Collecting the calls that match …';
  if (status === 'running') return `${count(handled)} of ${many(total, 'call')}`;
  const carried = counts.done || 0;
  const sum = `${count(carried)} of ${many(total, 'call')} ${done}.`;
  if (status === 'stopped') return `Stopped after ${count(handled)}. ${sum}`;
  return `${sum}${more ? ' More match: do it once more for the rest.' : ''}`;
}

function Order({ order }) {
  const { progress, error, name } = order;
  const goes_on = progress && ['selecting', 'running'].includes(progress.status) && !error;
  const over = progress && progress.status === 'done';
  const results = progress ? progress.results : [];
  return html`<section class="order" aria-label=${ACTS[name].label}><header><strong>${ACTS[name].label}</strong>${!goes_on && progress !== null && html`<button type="button" class="bare small" aria-label="Dismiss" onClick=${() => drop(order)}><${Icon} name="x" /></button>`}</header>
    <p role="status">${told(order)}</p>
    ${goes_on && html`<progress aria-label="Progress" max=${progress.total || 1} value=${progress.handled}></progress><p class="row end"><button type="button" class="small" onClick=${() => stop(order)}>Stop</button></p>`}
    ${!goes_on && results.length > 0 && html`<details open=${results.some((each) => each.result !== 'done')}><summary>What became of each</summary><ul>${results.map((each) => html`<${Result} key=${each.jobId} each=${each} />`)}</ul></details>`}
    ${((progress && progress.status === 'stopped') || error) && !over && html`<p class="row end"><button type="button" class="small" onClick=${() => send(order)}>Go on</button>${error && html`<button type="button" class="small" onClick=${() => drop(order)}>Leave it</button>`}</p>`}</section>`;
}

/** Orders that go on or were not dismissed, on every page. */
export const Orders = () =>
  html`<div class="orders">${useCell(orders).map((order) => html`<${Order} key=${order.key} order=${order} />`)}</div>`;
