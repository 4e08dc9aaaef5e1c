// Where a person chooses the time zone of the page.
import { html } from './html.js';
import { confirm, Field, Icon } from './parts.js';
import { choose_zone, OWN_ZONE, ZONE, ZONES } from './zone.js';

const OTHER = 'other';

function Zone({ choice, choose }) {
  const set = (event) => {
    const zone = event.target.value.trim();
    choose({ zone, blocked: !ZONES.includes(zone) });
  };
  return html`<${Field} id="zone-name" label="Time zone" hint="Such as America/New_York.">${(aria) => html`<input ...${aria} list="zone-names" autocomplete="off" value=${choice.zone || ''} onInput=${set} /><datalist id="zone-names">${ZONES.map((zone) => html`<option value=${zone} key=${zone} />`)}</datalist>`}<//>`;
}

function choose(event) {
  const zone = event.target.value;
  if (zone !== OTHER) return choose_zone(zone);
  event.target.value = ZONE;
  return confirm({
    title: 'Times in which zone?',
    touches: Zone,
    after: 'What you type on this page is read in it as well.',
    yes: 'Use it',
    run: (choice) => choose_zone(choice.zone),
  });
}

export const ZoneChoice = () =>
  html`<label class="zone" title="Time zone of this page"><${Icon} name="clock" /><span class="hidden">Times in</span><select value=${ZONE} onChange=${choose}>${[...new Set([OWN_ZONE, 'UTC', ZONE])].map((zone) => html`<option value=${zone} key=${zone}>${zone}</option>`)}<option value=${OTHER}>Other zone …</option></select></label>`;
