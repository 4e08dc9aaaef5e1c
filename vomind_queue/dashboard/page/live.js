// What happens now: asks for the overview when there is news, or again and again, and costs nothing
// while it is unchanged.
import { ask, locked, now, Problem } from './api.js';
import { useEffect, useRef, useState } from './html.js';
import { cell, useCell } from './state.js';
import { hold, streaming } from './stream.js';

const EVERY_MS = 2000;
/** So often where news are heard of: no event tells of time that passes, or of a worker that died. */
const CALM_MS = 10_000;
/** Between two looks for news that were heard of; an overview may be older by as much. */
const NEWS_MS = 1000;
/** A page that nobody sees looks so often, where it is to tell of a stop. */
const HIDDEN_MS = 30_000;
/** What was done here is shown at once; an overview may be older than that for so long. */
const OLDER_MS = 5000;
/** So soon it is asked for again, until it shows what was done. */
const SOON_MS = 300;
/** Lists are reloaded after this many polls without news; an edited message is not news. */
const ANYWAY = 15;

/**
 * `{shown, error, at, since}`: the last overview, why there is no newer one, when it was read, and
 * since when there is none, ms.
 */
export const overview = cell({ shown: null, error: null, at: null, since: null });
/** Whether a page that nobody sees goes on looking. */
export const watching = cell(localStorage.getItem('vomind-watch') === 'on');

let tag = null;
let timer = null;
let asking = false;
/** When the last look ended, ms. */
let looked = 0;
let quiet = 0;
/** Looks that are owed to news: one at once, one for an overview from before. */
let owed = 0;
/** What was done here, until an overview shows it: `{shows, patch, until}`. */
let own = null;

async function look(is_news) {
  const answer = await ask('GET', 'api/overview', undefined, tag ? { 'If-None-Match': tag } : {});
  if (answer.status === 304) {
    overview.get().at = now();
    quiet += pause() / EVERY_MS;
    if (overview.get().error || is_news || quiet >= ANYWAY) again();
    return;
  }
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, document);
  tag = answer.headers.get('ETag');
  quiet = 0;
  overview.set({ shown: with_own(document), error: null, at: now(), since: null });
}

/** An overview that may be older than what was done here, with that in it. */
function with_own(document) {
  if (own && (own.shows(document) || now() > own.until)) own = null;
  return own ? { ...document, ...own.patch } : document;
}

/** Shows at once what was done here: `patch` of the overview, until `shows` finds it in one. */
export function done_here(shows, patch) {
  own = { shows, patch, until: now() + OLDER_MS };
  const live = overview.get();
  if (live.shown) overview.set({ ...live, shown: { ...live.shown, ...patch } });
}

/** The same overview once more, as if it were news. */
function again() {
  const { shown, at } = overview.get();
  quiet = 0;
  overview.set({ shown: shown && { ...shown }, error: null, at, since: null });
}

/** After an action on this page: reload lists at once, whatever the overview says. */
export function touched() {
  again();
  return refresh();
}

const sees = () => (!document.hidden || watching.get()) && !locked.get();

/** Look now and then at intervals; rarely or not at all while the page is hidden. */
export async function refresh() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  const is_news = owed > 0;
  if (is_news) owed -= 1;
  try {
    if (sees()) await look(is_news);
  } catch (error) {
    tag = null;
    const { shown, at, since } = overview.get();
    overview.set({ shown, error, at, since: since || now() });
  } finally {
    asking = false;
    looked = Date.now();
    plan();
  }
}

/** Time from one look to the next, ms. */
function pause() {
  if (own) return SOON_MS;
  if (owed) return NEWS_MS;
  if (document.hidden) return HIDDEN_MS;
  return streaming.get() && !overview.get().error ? CALM_MS : EVERY_MS;
}

function plan() {
  if (asking) return;
  clearTimeout(timer);
  timer = setTimeout(refresh, Math.max(0, looked + pause() - Date.now()));
}

function heard() {
  owed = 2;
  plan();
}

export function start() {
  const keep = hold(() => sees() && overview.get().shown, heard);
  document.addEventListener('visibilitychange', () => document.hidden || refresh());
  document.addEventListener('visibilitychange', keep);
  locked.watch(() => locked.get() || refresh());
  // Once the key is known to be right.
  for (const each of [overview, locked, watching]) each.watch(keep);
  streaming.watch(plan);
  refresh();
}

/**
 * What `load` answers: `{value, error, again}`. Asked for again when `deps` change, and when
 * anything has happened in the queue.
 */
export function useLive(load, deps) {
  const { shown } = useCell(overview);
  const [state, set] = useState({ value: null, error: null, deps: null });
  const turn = useRef(0);
  const again = () => {
    const mine = ++turn.current;
    return load().then(
      (value) => mine === turn.current && set({ value, error: null, deps }),
      (error) =>
        mine === turn.current &&
        set((old) => ({ value: same(old.deps, deps) ? old.value : null, error, deps })),
    );
  };
  useEffect(() => {
    again();
  }, [...deps, shown]);
  const current = same(state.deps, deps);
  return { value: current ? state.value : null, error: current ? state.error : null, again };
}

const same = (one, other) => one !== null && one.every((each, at) => each === other[at]);
