// When the calls of a campaign ring: its own hours, and a dry run.
import { call, post } from '../api.js';
import { html, useState } from '../html.js';
import { touched } from '../live.js';
import { attempt, Icon, say, Time } from '../parts.js';
import { count, many } from '../words.js';
import { Fault, Line, useForm } from './rules.js';

/** The hours, which may be changed while the campaign runs. */
function Hours({ path, hours }) {
  const form = useForm({ hours: hours || '' }, async (fields) => {
    await call('PATCH', path, { hours: fields.hours || null });
    say(fields.hours ? 'The next call keeps to these hours.' : 'The campaign has no hours.');
    await touched();
  });
  return html`<form class="form" onSubmit=${form.go} noValidate><${Fault} of=${form} />
    <${Line} of=${form} name="hours" id="hours" label="Hours" optional placeholder="mon-fri 09:00-20:00, sat-sun closed" hint="On the clock of each person called; each day is named. They narrow the calling rules." />
    <div class="row end"><button disabled=${form.busy}>Keep the hours</button></div></form>`;
}

const Reasons = ({ name, found }) =>
  Object.entries(found).map(
    ([why, number]) =>
      html`<div key=${why}><dt>${name}: ${why}</dt><dd>${count(number)}</dd></div>`,
  );

function DryRun({ path }) {
  const [plan, set] = useState(null);
  const [busy, wait] = useState(false);
  const go = async () => {
    wait(true);
    const found = await attempt(() => post(`${path}/preview?limit=1`, {}));
    wait(false);
    if (found) set(found);
  };
  return html`<p class="faint">Works out when its calls would ring; nobody is called.</p>
    <div class="row end"><button type="button" disabled=${busy} onClick=${go}><${Icon} name="calendar-clock" />Dry run</button></div>
    <div role="status">${
      plan &&
      html`<p>${count(plan.willRing)} of ${many(plan.count, 'call')} would ring.</p>
      <dl class="facts">${plan.firstAt && html`<div><dt>First start</dt><dd><${Time} at=${plan.firstAt} /></dd></div><div><dt>Last start</dt><dd><${Time} at=${plan.lastAt} /></dd></div>`}
        <${Reasons} name="Waits" found=${plan.held} /><${Reasons} name="Never rings" found=${plan.never} /></dl>`
    }</div>`;
}

export const Plan = ({ path, shown }) =>
  html`<section class="card"><header><h2>When it calls</h2></header><${Hours} path=${path} hours=${shown.data.hours} /></section>
    <section class="card"><header><h2>When it will be through</h2></header><${DryRun} path=${path} /></section>`;
