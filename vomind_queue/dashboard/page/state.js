// Values that several parts of the page look at: a cell tells its readers when it changes. And what
// is being typed.
import { useLayoutEffect, useRef, useState } from './html.js';

export function cell(value) {
  const readers = new Set();
  return {
    get: () => value,
    set(next) {
      value = next;
      readers.forEach((tell) => tell({}));
    },
    watch(tell) {
      readers.add(tell);
      return () => readers.delete(tell);
    },
  };
}

/** The cell's value; draws again when it changes. */
export function useCell(watched) {
  const [, again] = useState({});
  // Before the browser paints: a change until then would be missed.
  useLayoutEffect(() => watched.watch(again), [watched]);
  return watched.get();
}

/**
 * A text that is being typed, and what changes it. It starts as `value`, and starts again only when
 * that is another one: the page is drawn again with all news, which must not undo what was typed.
 */
export function useDraft(value) {
  const draft = useRef({ of: value, text: value });
  const [, again] = useState({});
  if (draft.current.of !== value) draft.current = { of: value, text: value };
  const type = (event) => {
    draft.current.text = event.target.value;
    again({});
  };
  return [draft.current.text, type];
}

/** Empties a form that was sent, but for the fields that were changed since. */
export const emptied = (blank, sent) => (now) =>
  Object.fromEntries(
    Object.entries(now).map(([name, value]) => [name, value === sent[name] ? blank[name] : value]),
  );
