// All that the page asks of the service: its public API, with the key of the person who signed in.
import { cell } from './state.js';

const KEY = 'vomind-key';
// A proxy may put the service below a path; the page lies at its root.
const BASE = new URL('.', document.baseURI);

/** Whether the API wants a key that we do not have. */
export const locked = cell(false);
/** The API's clock less this machine's, ms. */
let ahead = 0;

/** An answer other than a success; `message` is for people, `errors` are by field. */
export class Problem extends Error {
  constructor(status, document = {}) {
    super(
      document.detail ||
        (status ? `The server answered ${status}.` : 'The server cannot be reached.'),
    );
    this.status = status;
    this.errors = document.errors || {};
  }
}

export const now = () => Date.now() + ahead;
export const signedIn = () => sessionStorage.getItem(KEY) !== null;

export async function signIn(key) {
  // A key must be something that a header can carry.
  if (!/^[\x21-\x7e]+$/.test(key)) throw new Problem(401);
  const answer = await fetch(new URL('api/overview', BASE), { headers: bearer(key) }).catch(() => {
    throw new Problem(0);
  });
  if (!answer.ok && answer.status === 401) throw new Problem(401, await document_of(answer));
  // Of this tab alone, and gone with it. No cookie: no other site can make the browser use it.
  sessionStorage.setItem(KEY, key);
  locked.set(false);
}

export function signOut() {
  sessionStorage.removeItem(KEY);
  location.reload();
}

const bearer = (key) => (key === null ? {} : { Authorization: `Bearer ${key}` });

async function document_of(answer) {
  return answer.json().catch(() => ({}));
}

/** Send one request; return the response. Throws Problem if there is none. */
export async function ask(method, path, body, headers = {}) {
  const sent = { ...bearer(sessionStorage.getItem(KEY)), ...headers };
  const is_file = body instanceof Blob;
  if (body !== undefined)
    sent['Content-Type'] = is_file ? 'application/octet-stream' : 'application/json';
  let answer;
  try {
    answer = await fetch(new URL(path, BASE), {
      method,
      headers: sent,
      body: is_file ? body : body === undefined ? undefined : JSON.stringify(body),
      cache: 'no-store',
    });
  } catch {
    throw new Problem(0);
  }
  note_clock(answer);
  if (answer.status === 401) locked.set(true);
  return answer;
}

/** Open the live stream of the notifier at `place`; its answer does not end by itself. */
export const follow = (place, signal) =>
  fetch(`${place}/api/events`, {
    headers: bearer(sessionStorage.getItem(KEY)),
    cache: 'no-store',
    credentials: 'omit',
    signal,
  });

function note_clock(answer) {
  const told = Date.parse(answer.headers.get('Date'));
  // The header has whole seconds: a smaller difference is none.
  if (told) ahead = Math.abs(told - Date.now()) > 2000 ? told - Date.now() : 0;
}

/** One request that is to succeed. Throws Problem. */
export async function call(method, path, body, headers) {
  const answer = await ask(method, path, body, headers);
  if (!answer.ok) throw new Problem(answer.status, await document_of(answer));
  return answer.json();
}

export const get = (path) => call('GET', path);
export const post = (path, body, headers) => call('POST', path, body, headers);
export const job_path = (id) => `api/queue/job/${encodeURIComponent(id)}`;

/** A key under which one request may be sent again and again and is carried out once. */
export function fresh_key() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
