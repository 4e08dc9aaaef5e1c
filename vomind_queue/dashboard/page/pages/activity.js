// Who did what: the deeds of people and apps, by the names of their keys.
import { get } from '../api.js';
import { html } from '../html.js';
import { useLive } from '../live.js';
import { Empty, Failure, Loading, Time } from '../parts.js';
import { many, upper } from '../words.js';

const ON_PAGE = 50;
/** Acts on many calls, as the sentence begins. */
const OF_MANY = {
  'cancel of many': 'Cancelled',
  'retry of many': 'Retried',
  'again of many': 'Called again:',
  'change of many': 'Changed',
};
/** What is said of deeds that were done to no call. */
const OTHERS = {
  'day closed': 'Closed the day',
  'day opened': 'Opened the day',
  'do-not-call': 'Put on the do-not-call list:',
  'do-not-call of many': 'Put on the do-not-call list:',
  'do-not-call removed': 'Taken off the do-not-call list:',
};
/** The verb of a deed done to a campaign, such as "campaign paused". */
const CAMPAIGN = 'campaign ';
const REMOVED = 'Deleted from history:';

/** What a deed was done to: a link, or words. */
function Subject({ deed }) {
  const { act, subject, details } = deed;
  if (subject && subject.startsWith('recurring:') && subject.split(':').length === 2)
    return html`recurring call <a href=${`#/recurring/${subject.split(':')[1]}`}>${subject.split(':')[1]}</a>`;
  if (subject) return html`call <a href=${`#/call/${subject}`}>${subject}</a>`;
  if (act.startsWith(CAMPAIGN))
    return html`campaign <a href=${`#/campaigns/${details.campaign}`}>${details.campaign}</a>`;
  if (details.day || details.to) return details.day || details.to;
  if ('numbers' in details) return many(details.numbers, 'number');
  if ('calls' in details) return many(details.calls, 'call');
  return 'the queue';
}

function verb({ act }) {
  if (act === 'cleaned') return REMOVED;
  if (act.startsWith(CAMPAIGN)) return upper(act.slice(CAMPAIGN.length));
  return OF_MANY[act] || OTHERS[act] || upper(act);
}

/** Why, as the person gave it, or which failures were meant. */
function Note({ details }) {
  const said = details.reason ? `“${details.reason}”` : details.kind;
  return said ? html`<span class="faint">${said}</span>` : null;
}

/** The address of a page of the list: below `path`, from `cursor` on. */
function address(path, by, cursor) {
  const query = new URLSearchParams();
  if (by) query.set('by', by);
  if (cursor) query.set('cursor', cursor);
  const joint = path.includes('?') ? '&' : '?';
  return String(query) ? `${path}${joint}${query}` : path;
}

function Deeds({ deeds }) {
  return html`<div class="table-box"><table class="calls"><caption class="hidden">Who did what, newest first</caption>
    <thead><tr><th scope="col">When</th><th scope="col">Who</th><th scope="col">What</th></tr></thead>
    <tbody>${deeds.map(
      (deed, at) => html`<tr key=${`${deed.at} ${at}`}>
      <td data-name="When"><${Time} at=${deed.at} /></td>
      <td data-name="Who"><a href=${`#/activity?by=${encodeURIComponent(deed.by)}`}>${deed.by}</a></td>
      <td data-name="What" class="grow deed">${verb(deed)} <${Subject} deed=${deed} /> <${Note} details=${deed.details} /></td></tr>`,
    )}</tbody></table></div>`;
}

function Pages({ by, cursor, next }) {
  if (!cursor && !next) return null;
  return html`<nav class="pager" aria-label="Pages">${cursor && html`<a class="button" href=${address('#/activity', by)}>Newest</a>`}
    ${next && html`<a class="button" href=${address('#/activity', by, next)}>Older</a>`}</nav>`;
}

export function ActivityPage({ query }) {
  const [by, cursor] = [query.get('by') || '', query.get('cursor') || ''];
  const path = address(`api/activity?limit=${ON_PAGE}`, by, cursor);
  const { value, error, again } = useLive(() => get(path), [path]);
  return html`<header class="page"><h1 tabindex="-1">Activity</h1></header>
    <p class="faint lead">${by ? html`What was done with the key <strong>${by}</strong>. <a href="#/activity">Show all</a>` : 'What was done with each API key, newest first. The last 10,000 entries are kept.'}</p>
    ${
      !value
        ? error
          ? html`<${Failure} error=${error} again=${again} />`
          : html`<${Loading} />`
        : html`${
            value.count
              ? html`<${Deeds} deeds=${value.activity} />`
              : html`<${Empty} icon="activity" title="Nothing was done yet."><p class="faint">Calls that are cancelled, changed or retried, and pauses with their reasons, appear here.</p><//>`
          }<${Pages} by=${by} cursor=${cursor} next=${value.next} />`
    }`;
}
