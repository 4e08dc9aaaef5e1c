// The time zone of the page: that of the browser, or one that a person chose here.
const KEPT = 'vomind-zone';

export const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

function known(zone) {
  try {
    return Intl.DateTimeFormat('en', { timeZone: zone }) && zone;
  } catch {
    return null;
  }
}

const kept = localStorage.getItem(KEPT);
/** All times on the page are shown and read in it. */
export const ZONE = (kept && known(kept)) || OWN_ZONE;
export const ZONES = [
  ...new Set([
    OWN_ZONE,
    'UTC',
    ...(Intl.supportedValuesOf ? Intl.supportedValuesOf('timeZone') : []),
  ]),
];

/** Shows the page again, in that zone. */
export function choose_zone(zone) {
  if (zone === OWN_ZONE) localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, zone);
  location.reload();
}

const PARTS = new Intl.DateTimeFormat('en-CA', {
  timeZone: ZONE,
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
});

/** What the clocks of the zone show then, as `2026-11-30T09:00`: a value for datetime-local. */
export function to_wall(ms) {
  const part = Object.fromEntries(PARTS.formatToParts(ms).map(({ type, value }) => [type, value]));
  return `${part.year.padStart(4, '0')}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}

const DAY_MS = 86_400_000;

/** When the clocks of the zone show that, unix ms: never, once, or twice when they go back. */
function moments(wall) {
  const plain = Date.parse(`${wall}Z`);
  const ahead = (ms) => Date.parse(`${to_wall(ms)}Z`) - Math.floor(ms / 60_000) * 60_000;
  const offsets = new Set([plain - DAY_MS, plain + DAY_MS].map(ahead));
  return [...offsets].map((offset) => plain - offset).filter((ms) => to_wall(ms) === wall);
}

/** The inverse, as an ISO time. Throws an error with words for a time that never or twice comes. */
export function from_wall(text) {
  const wall = text.slice(0, 16);
  if (Number.isNaN(Date.parse(`${wall}Z`))) throw new Error('Choose a day and a time.');
  const found = moments(wall);
  if (found.length === 1) return new Date(found[0]).toISOString();
  const clock = wall.slice(11);
  throw new Error(
    found.length
      ? `${clock} comes twice that day in ${ZONE}: the clocks go back. Choose the zone UTC at the foot of the page.`
      : `${clock} does not come that day in ${ZONE}: the clocks go forward.`,
  );
}

/** When today began in the zone, as an ISO time. */
export function today(ms) {
  const day = to_wall(ms).slice(0, 11);
  // Where clocks go forward at midnight the day begins later.
  for (const hour of ['00:00', '01:00']) {
    const [first] = moments(`${day}${hour}`).sort((one, other) => one - other);
    if (first !== undefined) return new Date(first).toISOString();
  }
  return new Date(ms - DAY_MS).toISOString();
}
