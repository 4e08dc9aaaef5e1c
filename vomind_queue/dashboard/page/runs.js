// What a pattern means: in words, and its next runs.
import { post } from './api.js';
import { html, useEffect, useState } from './html.js';
import { Icon } from './parts.js';

const TYPING_MS = 250;

/** The next runs of a pattern, as the server reckons them. */
export function usePreview(cronExpression, timezone) {
  const [state, set] = useState({ value: null, error: null });
  useEffect(() => {
    let current = true;
    const timer = setTimeout(
      () =>
        post('api/queue/schedule-recurring-call/preview', {
          cronExpression,
          timezone,
          count: 5,
        }).then(
          (value) => current && set({ value, error: null }),
          (error) => current && set({ value: null, error }),
        ),
      TYPING_MS,
    );
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [cronExpression, timezone]);
  return state;
}

const wall = (text) =>
  new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'full',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(new Date(`${text.slice(0, 19)}Z`));

/** What is wrong with a pattern or its zone, without the field's name. */
const pattern_fault = (error) => Object.values(error.errors || {}).flat()[0] || error.message;

export function Runs({ preview }) {
  const { value, error } = preview;
  return html`<section class="preview runs-ahead" aria-live="polite" aria-label="Next runs"><${Icon} name="repeat" /><div>
    ${
      error
        ? html`<strong class="fault">${pattern_fault(error)}</strong>`
        : !value
          ? 'Reckoning …'
          : html`<strong>${value.description}</strong>
      <ol class="runs">${value.runs.map((run) => html`<li key=${run.utc}>${wall(run.local)} <span class="faint">${run.utc.slice(11, 16)} UTC</span></li>`)}</ol>
      ${value.clockChanges.map((change) => html`<p class="faint" key=${change.utc}>The clock goes from ${change.from.slice(11, 16)} to ${change.to.slice(11, 16)} on ${change.to.slice(0, 10)}.</p>`)}`
    }
  </div></section>`;
}
