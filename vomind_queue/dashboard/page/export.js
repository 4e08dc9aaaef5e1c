// What a list finds, as one CSV file.
import { ask, Problem } from './api.js';
import { api_filters } from './filters.js';
import { attempt, save, say } from './parts.js';
import { many } from './words.js';

const PAGE = 1000;
/** So many calls fill the memory of a small machine; the command line writes more. */
const MOST = 200_000;

async function page_of(query) {
  const answer = await ask('GET', `api/calls?${query}`, undefined, { Accept: 'text/csv' });
  if (!answer.ok) throw new Problem(answer.status, await answer.json().catch(() => ({})));
  return { text: await answer.text(), next: answer.headers.get('Link') };
}

/** The cursor in `</api/calls?…>; rel="next"`, or null. */
function cursor_in(link) {
  const [, address] = /^<([^>]+)>; rel="next"/.exec(link || '') || [];
  return address ? new URL(address, location.href).searchParams.get('cursor') : null;
}

/** Saves these calls. */
export function save_calls(ids) {
  return attempt(async () => {
    const parts = [];
    for (const jobId of ids) {
      const { text } = await page_of(new URLSearchParams({ jobId, limit: 1 }));
      parts.push(parts.length ? text.slice(text.indexOf('\r\n') + 2) : text);
    }
    save('calls.csv', parts, 'text/csv');
    say(`${many(ids.length, 'call')} saved as calls.csv.`, { topic: 'export' });
  });
}

/** Saves the calls that match, newest first, page by page. */
export function save_found(filters) {
  return attempt(async () => {
    const query = new URLSearchParams({ ...api_filters(filters), limit: PAGE });
    const parts = [];
    do {
      const { text, next } = await page_of(query);
      // One header for all pages.
      parts.push(parts.length ? text.slice(text.indexOf('\r\n') + 2) : text);
      query.set('cursor', cursor_in(next) || '');
    } while (query.get('cursor') && parts.length * PAGE < MOST);
    save('calls.csv', parts, 'text/csv');
    const cut = query.get('cursor');
    say(
      cut
        ? `The newest ${many(MOST, 'call')} are saved as calls.csv. For more: vomind-queue export.`
        : 'Saved as calls.csv.',
      { topic: 'export' },
    );
  });
}
