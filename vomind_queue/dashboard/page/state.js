// Values that several parts of the page look at: a cell tells its readers when it changes.
import { useEffect, useState } from './html.js';

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
  useEffect(() => watched.watch(again), [watched]);
  return watched.get();
}
