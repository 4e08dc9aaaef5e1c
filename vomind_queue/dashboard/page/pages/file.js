// Many calls from a CSV file: look, check, send in parts, and a report.
import { Problem, post } from '../api.js';
import { call_of, guess, name_of, read, table, TARGETS } from '../csv.js';
import { html, useEffect, useMemo, useRef, useState } from '../html.js';
import { touched } from '../live.js';
import { Choice, Field, Icon, Phone, save, say, Urgency } from '../parts.js';
import { count, many } from '../words.js';

/** Calls checked, and calls sent, in one request. */
const CHECKED = 1000;
const SENT = 500;
const SHOWN = 5;
const FAULTS_SHOWN = 100;
/** Waits before a part whose answer was lost is sent again, ms. */
const AGAIN_MS = [500, 1000, 2000, 4000, 8000];

const wait = (ms) =>
  new Promise((done) => {
    setTimeout(done, ms);
  });

function chunks(list, size) {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) =>
    list.slice(at * size, (at + 1) * size),
  );
}

/**
 * What the server says of the calls: `faults`, all that is wrong, by index of the call
 * (`Map(index → "field: words")`), and `senders`, how many come from each number.
 */
async function check(calls, tell) {
  const faults = new Map();
  const senders = {};
  for (const [at, part] of chunks(calls, CHECKED).entries()) {
    const answer = await post('api/queue/schedule-bulk-calls/preview', { calls: part });
    for (const [index, fields] of Object.entries(answer.errors)) {
      const words = Array.isArray(fields)
        ? fields.join(' ')
        : Object.entries(fields)
            .map(([name, said]) =>
              name === '_schema' ? said.join(' ') : `${name}: ${said.join(' ')}`,
            )
            .join(' ');
      faults.set(at * CHECKED + Number(index), words);
    }
    for (const [number, each] of Object.entries(answer.senders))
      senders[number] = (senders[number] || 0) + each;
    tell(Math.min(calls.length, (at + 1) * CHECKED));
  }
  return { faults, senders };
}

/** One part, until it is answered: the key makes a repetition harmless. */
async function send_part(part, key) {
  for (const pause of [...AGAIN_MS, null]) {
    try {
      return await post(
        'api/queue/schedule-bulk-calls',
        { calls: part },
        { 'Idempotency-Key': key },
      );
    } catch (error) {
      const passing =
        error instanceof Problem &&
        (error.status === 0 || error.status >= 500 || error.status === 429);
      if (!passing || pause === null) throw error;
      await wait(pause);
    }
  }
  return null;
}

function Drop({ take, error }) {
  const [over, set] = useState(false);
  const picker = useRef(null);
  const drop = (event) => {
    event.preventDefault();
    set(false);
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  };
  return html`<div class=${`drop ${over ? 'over' : ''}`} onDragOver=${(event) => {
    event.preventDefault();
    set(true);
  }} onDragLeave=${() => set(false)} onDrop=${drop}>
    <${Icon} name="file-spreadsheet" /><p><strong>Drop a CSV file here</strong></p>
    <p class="faint">The first line names the columns; one of them has the numbers. Nothing is sent before you have seen it.</p>
    <p><button type="button" class="primary" onClick=${() => picker.current.click()}>Choose a file</button></p>
    <input ref=${picker} type="file" class="hidden" tabindex="-1" aria-label="CSV file" accept=".csv,.tsv,.txt,text/csv" onChange=${(event) => event.target.files[0] && take(event.target.files[0])} />
    ${error && html`<p class="fault" role="alert">${error}</p>`}</div>`;
}

function Mapping({ head, plan, set }) {
  const column = (key) => (event) => {
    const columns = { ...plan.columns };
    if (event.target.value === '') delete columns[key];
    else columns[key] = Number(event.target.value);
    set({ ...plan, columns });
  };
  return html`<section class="card form whole"><header><h2>What the columns mean</h2></header>
    <div class="mapping">${TARGETS.map(
      (
        target,
      ) => html`<${Field} key=${target.key} id=${`map-${target.key}`} label=${target.name} optional=${!target.needed}>
      ${(aria) => html`<select ...${aria} value=${plan.columns[target.key] ?? ''} onChange=${column(target.key)}><option value="">– none –</option>${head.map((name, at) => html`<option key=${at} value=${at}>${name || `Column ${at + 1}`}</option>`)}</select>`}<//>`,
    )}</div>
    <div class="pair"><${Field} id="prefix" label="Country code for local numbers" optional hint="Such as +1 or +49; replaces a leading 0.">${(aria) => html`<input ...${aria} autocomplete="off" placeholder="+1" value=${plan.prefix} onInput=${(event) => set({ ...plan, prefix: event.target.value.trim() })} />`}<//>
    <${Choice} name="csv-priority" label="Priority where none is given" options=${[
      ['high', 'High'],
      ['normal', 'Normal'],
      ['low', 'Low'],
    ]} value=${plan.priority} set=${(priority) => set({ ...plan, priority })} /></div>
    <${Field} id="csv-message" label="Message where none is given" optional>${(aria) => html`<textarea ...${aria} rows="2" value=${plan.message} onInput=${(event) => set({ ...plan, message: event.target.value })}></textarea>`}<//>
    <label class="tick"><input type="checkbox" checked=${plan.rest} onChange=${(event) => set({ ...plan, rest: event.target.checked })} /> Keep the other columns as metadata</label></section>`;
}

function FirstRows({ calls, rows }) {
  return html`<section class="card"><header><h2>The first calls</h2><span class="faint">${many(calls.length, 'row')}</span></header>
    <div class="table-box"><table class="calls"><caption class="hidden">The first calls of the file</caption><thead><tr><th scope="col">Line</th><th scope="col">Number</th><th scope="col">Message</th><th scope="col">Lead</th><th scope="col">Priority</th><th scope="col">When</th></tr></thead>
    <tbody>${calls.slice(0, SHOWN).map((each, at) => html`<tr key=${at}><td data-name="Line">${rows[at].line}</td><td data-name="Number">${each.to ? html`<${Phone} number=${each.to} />` : html`<span class="fault">missing</span>`}</td><td data-name="Message" class="grow"><span class="cut">${each.message || html`<span class="faint">the default</span>`}</span></td><td data-name="Lead">${each.lead_id || '–'}</td><td data-name="Priority"><${Urgency} priority=${each.priority} /></td><td data-name="When">${each.scheduleAt || (each.delayMs ? `in ${each.delayMs} ms` : 'now')}</td></tr>`)}</tbody></table></div></section>`;
}

function Progress({ what, done, total }) {
  return html`<div class="progress"><label for="bar">${what}: ${count(done)} of ${count(total)}</label><progress id="bar" value=${done} max=${Math.max(total, 1)}></progress></div>`;
}

function Faults({ faults, rows }) {
  const listed = [...faults].slice(0, FAULTS_SHOWN);
  return html`<div class="faults"><ul>${listed.map(([index, words]) => html`<li key=${index}><span class="number">Line ${rows[index].line}</span> ${words}</li>`)}</ul>
    ${faults.size > listed.length && html`<p class="faint">And ${many(faults.size - listed.length, 'more')}; the report has all of them.</p>`}</div>`;
}

/** Whom the calls come from, where that is not one number for all. */
function Senders({ senders }) {
  const each = Object.entries(senders);
  if (each.length < 2) return null;
  return html`<p>${each.map(([number, of_it], at) => html`${at > 0 && ', '}${many(of_it, 'call')} from <strong class="number">${number}</strong>`)}.</p>`;
}

function report(name, rows, calls, faults, ids) {
  const lines = rows.map((row, at) => ({
    line: row.line,
    to: calls[at].to,
    lead_id: calls[at].lead_id || '',
    result: ids[at] ? 'accepted' : faults.has(at) ? 'wrong' : 'not sent',
    jobId: ids[at] || '',
    reason: faults.get(at) || '',
  }));
  save(`${name.replace(/\.[a-z]+$/i, '')}-report.csv`, table(lines), 'text/csv');
}

/** Calls to the same number more than once: perhaps meant, perhaps a slip. */
const doubles = (calls) => calls.length - new Set(calls.map((each) => each.to)).size;

function Sending({ file, rows, calls, back }) {
  const [step, set] = useState({ at: 'look', done: 0 });
  const [{ faults, senders }, seen_as] = useState({ faults: new Map(), senders: {} });
  const [ids, set_ids] = useState([]);
  const here = useRef(true);
  useEffect(
    () => () => {
      here.current = false;
    },
    [],
  );
  useEffect(() => {
    if (step.at !== 'sending') return undefined;
    const ask = (event) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [step.at]);
  const examine = async () => {
    set({ at: 'checking', done: 0 });
    try {
      seen_as(await check(calls, (done) => set({ at: 'checking', done })));
      set({ at: 'checked', done: 0 });
    } catch (error) {
      set({ at: 'look', done: 0, error: error.message });
    }
  };
  const right = calls.map((_, at) => at).filter((at) => !faults.has(at));
  const send = async () => {
    const parts = chunks(right, SENT);
    const file_name = name_of(JSON.stringify(right.map((at) => calls[at])));
    const found = [];
    for (const [at, indexes] of parts.entries()) {
      if (!here.current) {
        say(
          `Sending stopped after ${count(at * SENT)} of ${many(right.length, 'call')}. Choose the same file again to go on.`,
          { tone: 'bad' },
        );
        return;
      }
      set({ at: 'sending', done: at * SENT });
      try {
        const answer = await send_part(
          indexes.map((index) => calls[index]),
          `csv-${file_name}-${at}`,
        );
        indexes.forEach((index, place) => {
          found[index] = answer.jobs[place].jobId;
        });
        set_ids([...found]);
      } catch (error) {
        set({ at: 'broken', done: at * SENT, error: error.message });
        return;
      }
    }
    set({ at: 'sent', done: right.length });
    touched();
  };
  const keep = () => report(file.name, rows, calls, faults, ids);
  const again = doubles(right.map((at) => calls[at]));
  return html`<section class="card form whole" aria-live="polite"><header><h2>${{ look: 'Check', checking: 'Checking', checked: 'Send', sending: 'Sending', broken: 'Interrupted', sent: 'Sent' }[step.at]}</h2></header>
    ${step.error && html`<div class="notice error" role="alert"><${Icon} name="circle-alert" /><div>${step.error}</div></div>`}
    ${step.at === 'look' && html`<p>Check the file first; nothing is called.</p><div class="row end"><button type="button" onClick=${back}>Another file</button><button type="button" class="primary" onClick=${examine}><${Icon} name="list-checks" />Check ${many(calls.length, 'row')}</button></div>`}
    ${step.at === 'checking' && html`<${Progress} what="Checked" done=${step.done} total=${calls.length} />`}
    ${
      step.at === 'checked' &&
      html`
      ${faults.size ? html`<div class="notice warning"><${Icon} name="triangle-alert" /><div><strong>${many(faults.size, 'row')} cannot be called as ${faults.size === 1 ? 'it stands' : 'they stand'}.</strong> Fix ${faults.size === 1 ? 'this row' : 'these rows'}, or call the other ${count(right.length)}.</div></div><${Faults} faults=${faults} rows=${rows} />` : html`<div class="notice good"><${Icon} name="circle-check" /><div><strong>All ${many(calls.length, 'row')} are right.</strong></div></div>`}
      ${again > 0 && html`<div class="notice warning"><${Icon} name="triangle-alert" /><div>${many(again, 'row')} ${again === 1 ? 'has' : 'have'} a number that stands above already: it will ring once for each row.</div></div>`}
      <${Senders} senders=${senders} />
      <p class="faint">Sent in parts of ${count(SENT)}. A broken connection does no harm: for 24 hours the same rows are accepted once, however often they are sent.</p>
      <div class="row end"><button type="button" onClick=${back}>Another file</button>${faults.size > 0 && html`<button type="button" onClick=${keep}><${Icon} name="download" />Save the report</button>`}<button type="button" class="primary" disabled=${!right.length} onClick=${send}><${Icon} name="send" />Send ${many(right.length, 'call')}</button></div>`
    }
    ${step.at === 'sending' && html`<${Progress} what="Sent" done=${step.done} total=${right.length} />`}
    ${step.at === 'broken' && html`<${Progress} what="Sent" done=${step.done} total=${right.length} /><p>What was sent is kept. Going on sends the last part again under the same key, so that no phone rings twice.</p><div class="row end"><button type="button" onClick=${keep}><${Icon} name="download" />Save the report</button><button type="button" class="primary" onClick=${send}><${Icon} name="send" />Go on</button></div>`}
    ${
      step.at === 'sent' &&
      html`<div class="notice good"><${Icon} name="circle-check" /><div><strong>${many(right.length, 'call')} accepted.</strong> ${faults.size ? `${many(faults.size, 'row')} left out.` : ''}</div></div>
      <div class="row end"><button type="button" onClick=${back}>Another file</button><a class="button" href="#/calls/waiting">See them wait</a><button type="button" class="primary" onClick=${keep}><${Icon} name="download" />Save the report</button></div>`
    }
  </section>`;
}

export function FilePage() {
  const [opened, open] = useState(null);
  const [error, fail] = useState(null);
  const [plan, plan_as] = useState(null);
  // Another plan starts again with checking.
  const [turn, next] = useState(0);
  const set = (changed) => {
    plan_as(changed);
    next((n) => n + 1);
  };
  const take = async (file) => {
    fail(null);
    try {
      const content = await read(file);
      set({
        columns: guess(content.head),
        message: '',
        priority: 'normal',
        prefix: '',
        rest: false,
      });
      open({ file, ...content });
    } catch (problem) {
      fail(problem.message);
    }
  };
  const calls = useMemo(
    () => (opened ? opened.rows.map((row) => call_of(row.cells, opened.head, plan)) : []),
    [opened, plan],
  );
  if (!opened) return html`<${Drop} take=${take} error=${error} />`;
  return html`<p class="crumbs"><${Icon} name="file-spreadsheet" /><strong>${opened.file.name}</strong></p>
    <${Mapping} head=${opened.head} plan=${plan} set=${set} /><${FirstRows} calls=${calls} rows=${opened.rows} />
    <${Sending} key=${turn} file=${opened.file} rows=${opened.rows} calls=${calls} back=${() => open(null)} />`;
}
