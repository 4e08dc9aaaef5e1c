// What is in a list: questions, columns, counts, refused rows and a preview.
import { html, useState } from '../html.js';
import { Icon, Pager, Time } from '../parts.js';
import { count, many } from '../words.js';

const LINES_SHOWN = 20;
/** More choices than this are a list to choose from. */
const MOST_RADIOS = 8;
const FIELDS = {
  to: 'Number',
  message: 'Message',
  lead_id: 'Lead',
  priority: 'Priority',
  scheduleAt: 'Time of the call',
  delayMs: 'Delay in ms',
  notAfter: 'Latest start',
  sendDigits: 'Keys to press',
  language: 'Language',
  voice: 'Voice',
  voicemailMessage: 'Voicemail',
  from: 'Call from',
  timezone: 'Time zone',
  region: 'Region',
  purpose: 'Purpose',
  ringTimeoutMs: 'Ring for, in ms',
  twimlUrl: 'Application',
  record: 'Record',
  'to.code': 'Country code of the number',
  'to.country': 'Country of the number',
};
const FATES = {
  willRing: ['will ring', 'green'],
  held: ['held by a rule until later', 'violet'],
  doubles: ['doubles', 'grey'],
  acceptedBefore: ['accepted before', 'grey'],
  blocked: ['on the do-not-call list', 'amber'],
  refused: ['refused', 'red'],
  asked: ['wait for an answer', 'amber'],
};

/** One question, with the answer that holds. */
function Question({ asked, value, set }) {
  const name = `question-${asked.id}`;
  const { choices } = asked;
  const is_chosen = choices.some((each) => each.value === value);
  const takes_text = !choices.length || asked.id === 'message';
  if (choices.length > MOST_RADIOS)
    return html`<div class="field"><label for=${name}>${asked.text}</label><select id=${name} value=${value} onChange=${(event) => set(event.target.value)}><option value="">– choose –</option>${choices.map((each) => html`<option key=${each.value} value=${each.value}>${each.text}</option>`)}</select></div>`;
  return html`<fieldset class="question"><legend>${asked.text}</legend>
    ${choices.map((each) => html`<label class="tick" key=${each.value}><input type="radio" name=${name} checked=${each.value === value} onChange=${() => set(each.value)} /> ${each.text}</label>`)}
    ${takes_text && html`<label class="field"><span>${choices.length ? 'Or other words' : 'Answer'}</span><input autocomplete="off" value=${is_chosen ? '' : value} onInput=${(event) => set(event.target.value)} /></label>`}</fieldset>`;
}

/** The open questions, and those with an answer that can be changed. */
export function Questions({ preview, change }) {
  const [said, say] = useState({});
  const [state, tell] = useState({ busy: false, error: '' });
  const all = [...preview.questions, ...preview.options];
  if (!all.length) return null;
  const answers = Object.fromEntries(
    Object.entries(said).filter(([id, value]) => value && all.some((each) => each.id === id)),
  );
  const go = async (event) => {
    event.preventDefault();
    tell({ busy: true, error: '' });
    try {
      await change({ answers });
      say({});
      tell({ busy: false, error: '' });
    } catch (error) {
      tell({ busy: false, error: error.message });
    }
  };
  const open = preview.questions.length;
  return html`<form class="card form whole" onSubmit=${go} noValidate><header><h2>Questions</h2><span class="faint">${open ? `${many(open, 'question')} to be answered` : 'All are answered'}</span></header>
    ${state.error && html`<div class="notice error" role="alert"><${Icon} name="circle-alert" /><div>${state.error}</div></div>`}
    ${all.map((asked) => html`<${Question} key=${asked.id} asked=${asked} value=${said[asked.id] ?? asked.chosen ?? ''} set=${(value) => say({ ...said, [asked.id]: value })} />`)}
    <div class="row end"><button class=${open ? 'primary' : ''} disabled=${state.busy || !Object.keys(answers).length}><${Icon} name="check" />Answer</button></div></form>`;
}

function Column({ column, set }) {
  const { place, header, takenAs, sample } = column;
  const metadata = `metadata.${header}`;
  const options = { ...FIELDS, [metadata]: 'Metadata' };
  if (takenAs && !options[takenAs]) options[takenAs] = takenAs;
  return html`<tr><td data-name="Column">${header}</td><td data-name="First cells" class="grow"><span class="cut">${sample.join(' · ') || html`<span class="faint">empty</span>`}</span></td>
    <td data-name="Taken for"><select aria-label=${`What ${header} is taken for`} value=${takenAs || ''} onChange=${(event) => set({ columns: { [place]: event.target.value } })}><option value="">– not used –</option>${Object.entries(options).map(([field, name]) => html`<option key=${field} value=${field}>${name}</option>`)}</select></td></tr>`;
}

/** The columns, and what each is taken for. */
export function Columns({ found, change }) {
  const [error, tell] = useState('');
  const set = (said) =>
    change(said).then(
      () => tell(''),
      (problem) => tell(problem.message),
    );
  const facts = [found.format.toUpperCase(), found.sheet, found.encoding].filter(Boolean);
  const header = found.headerLine ? `header in line ${found.headerLine}` : 'no header';
  return html`<section class="card"><header><h2>What the columns mean</h2><span class="faint">${[...facts, header].join(', ')}</span></header>
    ${error && html`<p class="fault" role="alert">${error}</p>`}
    <div class="table-box"><table class="calls texts"><caption class="hidden">Columns of the file</caption><thead><tr><th scope="col">Column</th><th scope="col">First cells</th><th scope="col">Taken for</th></tr></thead>
    <tbody>${found.columns.map((column) => html`<${Column} key=${column.place} column=${column} set=${set} />`)}</tbody></table></div></section>`;
}

export function Counts({ preview }) {
  const { counts } = preview;
  return html`<section class="card" aria-label="Counts"><header><h2>Preview</h2><span class="faint">${many(counts.rows, 'row')}</span></header>
    <div role="status"><ul class="counts">${Object.entries(FATES)
      .filter(([fate]) => counts[fate])
      .map(
        ([fate, [name, tone]]) =>
          html`<li key=${fate}><span class=${`badge ${tone}`}>${count(counts[fate])} ${name}</span></li>`,
      )}</ul></div></section>`;
}

/** Why rows are refused, by kind; `save` gets them as a file. */
export function Refusals({ preview, save }) {
  const { refusals } = preview;
  if (!refusals.length) return null;
  const lines = (each) =>
    each.lines.slice(0, LINES_SHOWN).map(count).join(', ') +
    (each.count > LINES_SHOWN ? ` and ${count(each.count - LINES_SHOWN)} more` : '');
  return html`<section class="card"><header><h2>Refused rows</h2>${save && html`<button type="button" onClick=${save}><${Icon} name="download" />Save the refused rows</button>`}</header>
    <p class="faint">Mend them in the saved file and upload it again: only these rows are new.</p>
    <div class="faults"><ul>${refusals.map((each) => html`<li key=${each.kind}>${each.text} <span class="faint">${each.count === 1 ? 'Line' : 'Lines'} ${lines(each)}</span></li>`)}</ul></div></section>`;
}

export function Rows({ rows, path, page, size, total }) {
  return html`<section class="card"><header><h2>Rows</h2></header>
    <div class="table-box"><table class="calls texts"><caption class="hidden">What becomes of each row</caption><thead><tr><th scope="col">Line</th><th scope="col">In the file</th><th scope="col">Rings</th><th scope="col">Message</th><th scope="col">When</th><th scope="col">What becomes of it</th></tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row.line}><td data-name="Line">${count(row.line)}</td><td data-name="In the file">${row.cell ?? '–'}</td><td data-name="Rings">${row.to ? html`<strong class="number">${row.to}</strong>` : '–'}</td><td data-name="Message" class="grow"><span class="cut">${row.message ?? '–'}</span></td><td data-name="When">${row.at ? html`<${Time} at=${row.at} />` : '–'}</td><td data-name="What becomes of it"><span class=${`badge ${FATES[row.fate][1]}`}>${FATES[row.fate][0]}</span>${row.why && html` <span class="faint">${row.why}</span>`}${row.jobId && html` <a href=${`#/call/${row.jobId}`}>call ${row.jobId}</a>`}</td></tr>`)}</tbody></table></div>
    <${Pager} path=${path} page=${page} size=${size} total=${total} /></section>`;
}
