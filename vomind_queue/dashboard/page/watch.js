// Tells that calls have stopped to those who do not look: by the tab's title and icon, and where a
// person wants it, by a note on the desktop and a sound.
import { html, useEffect, useRef } from './html.js';
import { overview, watching } from './live.js';
import { Icon, say } from './parts.js';
import { useCell } from './state.js';
import { verdict } from './verdict.js';

const STOPPED = ['unanswered', 'paused', 'stuck', 'away'];
const ICONS = { amber: 'icon-amber.svg', red: 'icon-red.svg' };

/** Title and icon of the tab, and a note where the state has become one of a stop. */
export function useWatch(title, closed) {
  const live = useCell(overview);
  const known = Boolean(live.shown || live.error) && !closed;
  const seen = known ? verdict(live) : null;
  const before = useRef(null);
  const stopped = seen && STOPPED.includes(seen.state);
  const tone = seen ? seen.tone : 'green';
  useEffect(() => {
    const place = closed ? 'Sign in' : title;
    document.title = `${stopped ? `● ${seen.word} – ` : ''}${place} · VoMind Queue`;
    document.querySelector('link[rel="icon"]').href = `dashboard/${ICONS[tone] || 'icon.svg'}`;
  }, [title, closed, stopped, tone, seen && seen.word]);
  useEffect(() => {
    const state = seen && seen.state;
    if (stopped && before.current && before.current !== state && watching.get()) ring(seen);
    if (state) before.current = state;
  }, [seen && seen.state]);
}

function ring(seen) {
  beep();
  if (window.Notification && Notification.permission === 'granted')
    new Notification(seen.title, { body: 'VoMind Queue', tag: 'vomind-queue' });
}

/** Two short tones, made here: no file is loaded for them. */
function beep() {
  if (!window.AudioContext) return;
  const context = new AudioContext();
  [660, 440].forEach((hertz, at) => {
    const tone = context.createOscillator();
    const volume = context.createGain();
    volume.gain.value = 0.1;
    tone.frequency.value = hertz;
    tone.connect(volume).connect(context.destination);
    tone.start(context.currentTime + at * 0.25);
    tone.stop(context.currentTime + at * 0.25 + 0.2);
  });
  setTimeout(() => context.close(), 1000);
}

async function turn(on) {
  watching.set(on);
  localStorage.setItem('vomind-watch', on ? 'on' : 'off');
  if (!on) return;
  // The browser lets a page sound only after a click: this one.
  beep();
  const allowed = window.Notification && (await Notification.requestPermission());
  say(
    allowed === 'granted'
      ? 'You are told when calls stop, in another tab as well.'
      : 'A sound tells you when calls stop. The browser does not allow notes on the desktop.',
    { topic: 'watch' },
  );
}

/** The switch for it. */
export function WatchSwitch() {
  const on = useCell(watching);
  return html`<button type="button" class="bare" aria-pressed=${on} title="A note and a sound when calls stop" onClick=${() => turn(!on)}><${Icon} name=${on ? 'bell-ring' : 'bell'} /><span>${on ? 'Telling me when it stops' : 'Tell me when it stops'}</span></button>`;
}
