// What happens now: asks for the overview again and again, and costs nothing while it is unchanged.
import { ask, locked, Problem } from './api.js';
import { useEffect, useRef, useState } from './html.js';
import { cell, useCell } from './state.js';

const EVERY_MS = 2000;
/** Lists are reloaded after this many polls without news; an edited message is not news. */
const ANYWAY = 15;

/** `{shown, error}`: the last overview, and why there is no newer one. */
export const overview = cell({ shown: null, error: null });

let tag = null;
let timer = null;
let asking = false;
let quiet = 0;

async function look() {
  const answer = await ask('GET', 'api/overview', undefined, tag ? { 'If-None-Match': tag } : {});
  if (answer.status === 304) {
    quiet += 1;
    if (overview.get().error || quiet % ANYWAY === 0) again();
    return;
  }
  const document = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, document);
  tag = answer.headers.get('ETag');
  overview.set({ shown: document, error: null });
}

/** The same overview once more, as if it were news. */
function again() {
  const { shown } = overview.get();
  overview.set({ shown: shown && { ...shown }, error: null });
}

/** After an action on this page: reload lists at once, whatever the overview says. */
export function touched() {
  again();
  return refresh();
}

/** Poll now and then at intervals, but not while the page is hidden. */
export async function refresh() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  try {
    if (!document.hidden && !locked.get()) await look();
  } catch (error) {
    tag = null;
    overview.set({ shown: overview.get().shown, error });
  } finally {
    asking = false;
    timer = setTimeout(refresh, EVERY_MS);
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
