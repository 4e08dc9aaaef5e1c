// Sends a form once, and says what became of it.
import { call, fresh_key, job_path, post } from '../api.js';
import { html, useRef, useState } from '../html.js';
import { touched } from '../live.js';
import { Icon, say } from '../parts.js';

/** Sends a form; the same form is carried out once, however often it is sent. */
export function useSending(send) {
  const [state, set] = useState({ busy: false, errors: {}, message: null });
  const key = useRef(null);
  const go = async (event) => {
    event.preventDefault();
    if (state.busy) return;
    const form = event.target;
    set({ busy: true, errors: {}, message: null });
    try {
      await send((path, body) => {
        const text = path + JSON.stringify(body);
        if (!key.current || key.current.text !== text) key.current = { text, value: fresh_key() };
        return post(path, body, { 'Idempotency-Key': key.current.value });
      });
      key.current = null;
      set({ busy: false, errors: {}, message: null });
    } catch (error) {
      set({ busy: false, errors: error.errors || {}, message: error.message });
      // To the first field that is wrong.
      setTimeout(() => form.querySelector('[aria-invalid]')?.focus());
    }
    touched();
  };
  return { ...state, go };
}

export const Said = ({ message }) =>
  message &&
  html`<div class="notice error" role="alert"><${Icon} name="circle-alert" /><div>${message}</div></div>`;

/** After a call was accepted: where it is, and the way back. */
export function tell(answer, what, at_once) {
  say(what, {
    topic: answer.jobId,
    link: { href: `#/call/${answer.jobId}`, label: `Call ${answer.jobId}` },
    undo: !at_once && {
      label: 'Cancel it',
      run: async () => {
        await call('DELETE', job_path(answer.jobId));
        say(`Call ${answer.jobId} is cancelled.`, { topic: answer.jobId });
        touched();
      },
    },
  });
}
