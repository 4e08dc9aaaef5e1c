// What happens now: asks for the overview again and again, and costs nothing while it is unchanged.
import { ask, locked, now, Problem } from './api.js';
import { useEffect, useRef, useState } from './html.js';
import { cell, useCell } from './state.js';

const EVERY_MS = 2000;
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
let quiet = 0;
/** What was done here, until an overview shows it: `{shows, patch, until}`. */
let own = null;

async function look() {
  const answer = await ask('GET', 'api/overview', undefined, tag ? { 'If-None-Match': tag } : {});
  if (answer.status === 304) {
    quiet += 1;
    overview.get().at = now();
    if (overview.get().error || quiet % ANYWAY === 0) again();
    return;
  }
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, document);
  tag = answer.headers.get('ETag');
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
  overview.set({ shown: shown && { ...shown }, error: null, at, since: null });
}

/** After an action on this page: reload lists at once, whatever the overview says. */
export function touched() {
  again();
  return refresh();
}

/** Poll now and then at intervals; rarely or not at all while the page is hidden. */
export async function refresh() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  try {
    if ((!document.hidden || watching.get()) && !locked.get()) await look();
  } catch (error) {
    tag = null;
    const { shown, at, since } = overview.get();
    overview.set({ shown, error, at, since: since || now() });
  } finally {
    asking = false;
    timer = setTimeout(refresh, own ? SOON_MS : document.hidden ? HIDDEN_MS : EVERY_MS);
  }
}

export function start() {
  document.addEventListener('visibilitychange', () => document.hidden || refresh());
  locked.watch(() => locked.get() || refresh());
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
