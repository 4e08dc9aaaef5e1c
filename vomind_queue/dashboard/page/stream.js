// The live stream: where the notifier can be reached, the page hears of news and need not ask for it.
import { follow } from './api.js';
import { cell } from './state.js';

/** A comment comes after 15 s of silence. */
const SILENT_MS = 40_000;
/** Until it is opened again, and the longest such wait where it cannot be. */
const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

/** Whether the page hears of news. */
export const streaming = cell(false);

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Pages that nobody sees have one stream together: a browser opens six connections to a server. */
async function alone(work) {
  return navigator.locks?.request('vomind-stream', { ifAvailable: true }, (lock) => lock && work());
}

/**
 * Hold a stream open while `wanted` says so, and call `heard` when there may be news. Return what to
 * call when `wanted` may answer otherwise.
 */
export function hold(wanted, heard) {
  const place = document.querySelector('meta[name="notifier"]').content;
  if (!place) return () => {};
  /** The one that is open, or is to be opened: `{hidden, control}`. */
  let current = null;

  async function read(mine) {
    // The lock may have come too late.
    if (current !== mine) return;
    mine.control = new AbortController();
    const answer = await follow(place, mine.control.signal);
    if (!answer.ok || current !== mine) return;
    streaming.set(true);
    // What came before was not heard.
    heard();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ;) {
      const timer = setTimeout(() => mine.control.abort(), SILENT_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      const parts = (text + value).split('\n\n');
      text = parts.pop();
      // Others are comments.
      if (parts.some((part) => part.includes('\ndata: '))) heard();
    }
  }

  async function run(mine) {
    for (let failures = 0; current === mine;) {
      const [work, began] = [() => read(mine), performance.now()];
      await (mine.hidden ? alone(work) : work()).catch(() => {});
      if (current !== mine) return;
      streaming.set(false);
      // Behind a proxy that ends each answer at once, it is opened all the same.
      failures = performance.now() - began > SILENT_MS ? 0 : failures + 1;
      await sleep(Math.min(FIRST_MS * 2 ** failures, LONGEST_MS));
    }
  }

  return () => {
    const want = wanted();
    if (current && want && current.hidden === document.hidden) return;
    if (current) {
      current.control?.abort();
      streaming.set(false);
    }
    current = want ? { hidden: document.hidden, control: null } : null;
    if (current) run(current);
  };
}
