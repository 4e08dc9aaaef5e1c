// Calls from a file, in four steps: the file, what is in it, a preview, and the calls.
import { ask, call, fresh_key, get, post, Problem } from '../api.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { touched } from '../live.js';
import { attempt, Failure, Field, Icon, Loading, save } from '../parts.js';
import { count, many } from '../words.js';
import { LIST, steer } from './campaigns.js';
import { Columns, Counts, Questions, Refusals, Rows } from './list_parts.js';

/** So often the state of a large list is asked for, and after no good answer, ms. */
const AGAIN_MS = 700;
const LATER_MS = 3000;
/** Answers that stay as they are. */
const LASTING = [401, 403, 404];
const ON_PAGE = 50;
const STEPS = ['Choose a file', 'What is in it', 'Preview', 'Calls'];
const ENDINGS = '.csv,.tsv,.txt,.xlsx,.xls,.jsonl,.ndjson';

/** Which of the steps one is at, from 0. */
function Steps({ at }) {
  return html`<ol class="steps" aria-label="Steps">${STEPS.map((name, step) => html`<li key=${name} class=${step < at ? 'done' : ''} aria-current=${step === at ? 'step' : undefined}><span class="step-number">${step + 1}</span>${name}</li>`)}</ol>`;
}

function Drop({ file, take }) {
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
    <${Icon} name="file-spreadsheet" /><p role="status"><strong>${file ? file.name : 'Drop a file here'}</strong></p>
    <p class="faint">CSV, a workbook (XLSX, XLS) or JSON lines, up to 200,000 rows. Nothing is sent before you have seen it.</p>
    <p><button type="button" class=${file ? '' : 'primary'} onClick=${() => picker.current.click()}>${file ? 'Choose another file' : 'Choose a file'}</button></p>
    <input ref=${picker} type="file" class="hidden" tabindex="-1" aria-label="File of calls" accept=${ENDINGS} onChange=${(event) => event.target.files[0] && take(event.target.files[0])} /></div>`;
}

const plain_name = (file) => file.name.replace(/\.[^.]*$/, '').slice(0, 100) || 'Calls';

/** The first step; without a campaign, one is created. */
export function NewList({ campaignId }) {
  const [form, set] = useState({ name: '', country: '', message: '' });
  const [file, take] = useState(null);
  const [state, tell] = useState({ busy: false, errors: {}, message: '' });
  // Trying again with another file makes no second campaign.
  const made = useRef({ id: campaignId, key: fresh_key() });
  const put = (name) => (event) => set({ ...form, [name]: event.target.value });
  const create = async () => {
    const given = Object.entries(form).map(([name, value]) => [name, value.trim()]);
    const body = {
      name: plain_name(file),
      ...Object.fromEntries(given.filter(([, value]) => value)),
    };
    const answer = await post(LIST, body, { 'Idempotency-Key': made.current.key });
    made.current.id = answer.campaignId;
  };
  const go = async (event) => {
    event.preventDefault();
    if (!file) {
      tell({ busy: false, errors: {}, message: 'Choose a file first.' });
      return;
    }
    tell({ busy: true, errors: {}, message: '' });
    try {
      if (!made.current.id) await create();
      const id = made.current.id;
      const name = encodeURIComponent(file.name.slice(-128));
      const { listId } = await call('POST', `${LIST}/${id}/list?filename=${name}`, file);
      location.hash = `#/campaigns/${id}/list/${listId}`;
    } catch (error) {
      // A slip in the form may be mended under another key.
      if (!made.current.id) made.current.key = fresh_key();
      tell({ busy: false, errors: error.errors || {}, message: error.message });
    }
  };
  const { errors } = state;
  return html`<${Steps} at=${0} /><form class="card form whole" onSubmit=${go} noValidate>
    ${state.message && html`<div class="notice error" role="alert"><${Icon} name="circle-alert" /><div>${state.message}</div></div>`}
    <${Drop} file=${file} take=${take} />
    ${
      !campaignId &&
      html`<div class="pair"><${Field} id="list-name" label="Name of the campaign" optional hint="Otherwise that of the file." errors=${errors.name}>${(aria) => html`<input ...${aria} autocomplete="off" maxlength="100" value=${form.name} onInput=${put('name')} />`}<//>
      <${Field} id="list-country" label="Country of numbers without one" optional hint="Two letters, such as DE or US." errors=${errors.country}>${(aria) => html`<input ...${aria} autocomplete="off" maxlength="2" value=${form.country} onInput=${(event) => set({ ...form, country: event.target.value.toUpperCase() })} />`}<//></div>
      <${Field} id="list-message" label="Message where the file has none" optional hint="{{Name}} stands for the cell of that column, {{Name|there}} for it or “there”." errors=${errors.message}>${(aria) => html`<textarea ...${aria} rows="2" value=${form.message} onInput=${put('message')}></textarea>`}<//>`
    }
    <div class="row end"><button class="primary" disabled=${state.busy}><${Icon} name="list-checks" />${state.busy ? 'Uploading …' : 'Upload and look at it'}</button></div></form>`;
}

function Progress({ shown }) {
  const { state, progress } = shown;
  const what = state === 'reading' ? 'Reading' : 'Storing calls';
  const far = progress.total
    ? `${count(progress.done)} of ${many(progress.total, state === 'reading' ? 'row' : 'call')}`
    : 'starting';
  return html`<section class="card"><div class="progress" role="status"><label for="bar">${what}: ${far}</label><progress id="bar" value=${progress.total ? progress.done : undefined} max=${progress.total || 1}></progress></div>
    <p class="faint">You may leave this page; it goes on.</p></section>`;
}

/** The list, asked for until nothing is being done to it, with a page of its preview. */
function useList(path, page) {
  const [found, set] = useState({ shown: null, preview: null, error: null });
  const [turn, next] = useState(0);
  useEffect(() => {
    let timer = null;
    let here = true;
    const look = async () => {
      try {
        const shown = await get(path);
        const is_worked = ['reading', 'accepting'].includes(shown.state);
        const rows = `${path}/preview?start=${page * ON_PAGE}&end=${(page + 1) * ON_PAGE - 1}`;
        const is_read = !is_worked && (shown.state !== 'failed' || shown.counts);
        const preview = is_read ? await get(rows) : null;
        if (here) set({ shown, preview, error: null });
        if (here && is_worked) timer = setTimeout(look, AGAIN_MS);
      } catch (error) {
        if (here) set((old) => ({ ...old, error }));
        // What it waits for goes on without it.
        if (here && !LASTING.includes(error.status)) timer = setTimeout(look, LATER_MS);
      }
    };
    look();
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, [path, page, turn]);
  return [found, () => next((n) => n + 1)];
}

async function save_refused(path, filename) {
  const answer = await ask('GET', `${path}/report`);
  if (!answer.ok) throw new Problem(answer.status);
  save(`refused-${filename.replace(/\.[^.]*$/, '')}.csv`, await answer.text(), 'text/csv');
}

/** The last step: what became of the list, and what is next. */
function Done({ campaignId, shown }) {
  const start = () =>
    attempt(async () => {
      steer('start', await get(`${LIST}/${campaignId}`));
      location.hash = `#/campaigns/${campaignId}`;
    });
  return html`<section class="card form whole" aria-live="polite"><header><h2>Calls</h2></header>
    <div class="notice good"><${Icon} name="circle-check" /><div><strong>${many(shown.count ?? 0, 'call')} accepted.</strong> They ring once the campaign is started.</div></div>
    <div class="row end"><a class="button" href=${`#/campaigns/${campaignId}`}>See the campaign</a><button type="button" class="primary" onClick=${start}><${Icon} name="play" />Start the campaign</button></div></section>`;
}

function Accept({ path, preview, again }) {
  const [state, tell] = useState({ busy: false, error: '' });
  const calls = preview.counts.willRing + preview.counts.held;
  const accept = async () => {
    tell({ busy: true, error: '' });
    try {
      await post(`${path}/accept`);
      await touched();
    } catch (error) {
      tell({ busy: false, error: error.message });
    }
    again();
  };
  const is_open = preview.questions.length > 0;
  return html`<section class="card form whole"><header><h2>Accept</h2></header>
    ${state.error && html`<div class="notice error" role="alert"><${Icon} name="circle-alert" /><div>${state.error}</div></div>`}
    <p>${is_open ? 'Answer the questions above first.' : 'The campaign gets the calls. None rings before it is started.'}</p>
    <div class="row end"><button type="button" class="primary" disabled=${state.busy || is_open || !calls} onClick=${accept}><${Icon} name="send" />${state.busy ? 'Storing calls …' : `Accept ${many(calls, 'call')}`}</button></div></section>`;
}

function ListPage({ campaignId, listId, page }) {
  const path = `${LIST}/${encodeURIComponent(campaignId)}/list/${encodeURIComponent(listId)}`;
  const [{ shown, preview, error }, again] = useList(path, page);
  if (!shown)
    return error ? html`<${Failure} error=${error} again=${again} />` : html`<${Loading} />`;
  const is_done = shown.state === 'accepted';
  const at = shown.state === 'reading' ? 1 : is_done || shown.state === 'accepting' ? 3 : 2;
  const change = async (said) => {
    await call('PATCH', path, said);
    again();
  };
  const refused = preview ? preview.counts.refused : 0;
  return html`<${Steps} at=${preview && preview.questions.length ? 1 : at} /><p class="crumbs"><${Icon} name="file-spreadsheet" /><strong>${shown.filename}</strong></p>
    ${error && html`<${Failure} error=${error} again=${again} />`}
    ${shown.error && html`<div class="notice error" role="alert"><${Icon} name="circle-alert" /><div>${shown.error} <a href=${`#/campaigns/${campaignId}/list`}>Upload another file</a></div></div>`}
    ${shown.progress && html`<${Progress} shown=${shown} />`}
    ${is_done && html`<${Done} campaignId=${campaignId} shown=${shown} />`}
    ${
      preview &&
      html`${!is_done && html`<${Questions} preview=${preview} change=${change} /><${Columns} found=${shown.found} change=${change} />`}
      <${Counts} preview=${preview} /><${Refusals} preview=${preview} save=${refused ? () => attempt(() => save_refused(path, shown.filename)) : null} />
      <${Rows} rows=${preview.rows} path=${`#/campaigns/${campaignId}/list/${listId}`} page=${page} size=${ON_PAGE} total=${preview.counts.rows} />
      ${!is_done && html`<${Accept} path=${path} preview=${preview} again=${again} />`}`
    }`;
}

/** `rest`: what follows `campaigns` in the address. */
export function UploadPage({ rest: [campaignId, , listId], query }) {
  const page = Math.max(0, Number.parseInt(query.get('page') || '0', 10) || 0);
  const is_new = campaignId === 'new';
  const back = is_new ? '#/campaigns' : `#/campaigns/${campaignId}`;
  return html`<p class="crumbs"><a href=${back}><${Icon} name="arrow-left" />${is_new ? 'Campaigns' : 'The campaign'}</a></p>
    <header class="page"><h1 tabindex="-1">Calls from a file</h1></header>
    ${listId ? html`<${ListPage} campaignId=${campaignId} listId=${listId} page=${page} />` : html`<${NewList} campaignId=${is_new ? undefined : campaignId} />`}`;
}
