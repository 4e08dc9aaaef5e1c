// What a list of calls is filtered by: in the address, as the API takes it, and in words.
import { now } from './api.js';
import { duration, moment, OUTCOMES, STATES, upper } from './words.js';
import { today } from './zone.js';

/** The queue's own lists, and the calls that left it. */
export const LISTED = ['waiting', 'active', 'delayed', 'completed', 'failed', 'cancelled'];
export const PRIORITIES = ['high', 'normal', 'low'];
/** Outcomes that the call log knows. */
export const LOGGED = [
  'completed',
  'machine',
  'no-answer',
  'busy',
  'failed',
  'canceled',
  'not-placed',
  'none',
];
export const SPANS = {
  today: 'Today',
  '1h': 'Last hour',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
};

/** Filters by their names in the address, and what the API calls them. */
const NAMES = {
  state: 'state',
  outcome: 'outcome',
  priority: 'priority',
  since: 'since',
  until: 'until',
  lead: 'lead_id',
  number: 'number',
  jobId: 'jobId',
  campaign: 'campaignId',
};
const SEVERAL = ['state', 'outcome', 'priority'];
const SPAN = /^([0-9]{1,4})([mhd])$/;
const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The filters in an address: words by their names; without a filter, an empty one. */
export function filters_in({ rest, query }) {
  const found = Object.fromEntries(Object.keys(NAMES).map((name) => [name, query.get(name) || '']));
  if (LISTED.includes(rest[0])) found.state = rest[0];
  // A plus sign that was not escaped.
  found.number = found.number.replace(/^ /, '+');
  return { ...found, q: query.get('q') || '' };
}

export const words_of = (text) => text.split(',').filter(Boolean);

/** The address of the list of such calls; `more`: its page. */
export function address_of(filters, more = {}) {
  const given = Object.entries({ ...filters, ...more }).filter(([, value]) => value);
  const alone = given.filter(([name]) => name !== 'page');
  const short = alone.length === 1 && alone[0][0] === 'state' && LISTED.includes(filters.state);
  const query = new URLSearchParams(short ? given.filter(([name]) => name === 'page') : given);
  // Commas stay readable in an address that is passed on.
  const text = `${query}`.replaceAll('%2C', ',');
  return `#/calls${short ? `/${filters.state}` : ''}${text && `?${text}`}`;
}

/** Turns one word of a filter on or off. */
export function toggled(filters, name, word) {
  const words = words_of(filters[name]);
  const next = words.includes(word) ? words.filter((each) => each !== word) : [...words, word];
  return { ...filters, [name]: next.join(',') };
}

/** The state of the queue's own list that shows just these calls, in its order; or null. */
export function queue_list(filters) {
  const given = Object.keys(filters).filter((name) => filters[name]);
  const own = given.length === 1 && given[0] === 'state' && filters.state !== 'cancelled';
  return own && LISTED.includes(filters.state) ? filters.state : null;
}

/** A time in the address, as an ISO time: that itself, or so long ago. */
function instant(text) {
  if (text === 'today') return today(now());
  const span = SPAN.exec(text);
  return span ? new Date(now() - span[1] * UNIT_MS[span[2]]).toISOString() : text;
}

/** The filters as the API takes them, times by the clock of this moment. */
export function api_filters(filters) {
  const given = Object.entries(NAMES).filter(([name]) => filters[name]);
  return Object.fromEntries(
    given.map(([name, own]) => [
      own,
      ['since', 'until'].includes(name) ? instant(filters[name]) : filters[name],
    ]),
  );
}

export const outcome_name = (word) => (word === 'none' ? 'None yet' : OUTCOMES[word]?.name || word);
const state_name = (word) => STATES[word]?.name || word;

function time_name(text) {
  const span = SPAN.exec(text);
  if (SPANS[text]) return SPANS[text];
  if (span) return `Last ${duration(span[1] * UNIT_MS[span[2]])}`;
  return Number.isNaN(Date.parse(text)) ? text : moment(text);
}

/** The words on a filter's button; empty where it is not set. */
export function said(filters, name) {
  if (name === 'time') {
    const { since, until } = filters;
    if (!until)
      return (
        since && (Number.isNaN(Date.parse(since)) ? time_name(since) : `since ${time_name(since)}`)
      );
    return since ? `${time_name(since)} to ${time_name(until)}` : `before ${time_name(until)}`;
  }
  const names = { state: state_name, outcome: outcome_name, priority: upper };
  if (SEVERAL.includes(name)) return words_of(filters[name]).map(names[name]).join(', ');
  return filters[name];
}
