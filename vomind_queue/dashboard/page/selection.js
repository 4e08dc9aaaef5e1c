// Which calls of a list are selected, and the bar of what can be done to them.
import { ACTS, act_on } from './acts.js';
import { save_calls, save_found } from './export.js';
import { html, useState } from './html.js';
import { Icon } from './parts.js';
import { many } from './words.js';

const nothing = (address) => ({ address, chosen: new Map(), all: false, from: null });

/**
 * The selection in the list at an address: `chosen` calls by their ids, or `all` that match.
 * Another list begins without one.
 */
export function useSelection(address) {
  const [kept, set] = useState(nothing(address));
  const now = kept.address === address ? kept : nothing(address);
  const put = (jobs, on, from) => {
    const chosen = new Map(now.chosen);
    jobs.forEach((job) => (on ? chosen.set(job.jobId, job) : chosen.delete(job.jobId)));
    set({ ...now, chosen, from, all: false });
  };
  return {
    ...now,
    put,
    /** Selects a call of a list or leaves it; with Shift, all from the last one to it. */
    pick(jobs, at, shift) {
      const on = !now.chosen.has(jobs[at].jobId);
      const from = shift && now.from !== null ? Math.min(now.from, jobs.length - 1) : at;
      put(jobs.slice(Math.min(from, at), Math.max(from, at) + 1), on, at);
    },
    take_all: () => set({ ...now, all: true }),
    clear: () => set(nothing(address)),
  };
}

/** The box that selects all calls of the page. */
export function SelectAll({ selection, jobs }) {
  const chosen = jobs.filter((job) => selection.chosen.has(job.jobId)).length;
  const every = chosen === jobs.length;
  return html`<input type="checkbox" aria-label="Select all calls on this page" checked=${every} ref=${(
    box,
  ) => {
    if (box) box.indeterminate = chosen > 0 && !every;
  }} onClick=${() => selection.put(jobs, !every, null)} />`;
}

/** `total`: how many match; null where that is not known; `filters`: null where all are listed. */
export function SelectBar({ selection, filters, total }) {
  const { chosen, all } = selection;
  if (!chosen.size) return null;
  const more = filters && (total === null || total > chosen.size);
  const wanted = all ? { filters } : { jobs: [...chosen.values()] };
  const save = () =>
    all ? save_found(filters) : save_calls([...chosen.values()].map((job) => job.jobId));
  return html`<section class="selected" aria-label="Selected calls"><strong role="status">${all ? `All ${total === null ? '' : many(total, 'call')} that match` : `${many(chosen.size, 'call')} selected`}</strong>
    ${more && !all && html`<button type="button" class="plain" onClick=${selection.take_all}>Select all ${total === null ? '' : many(total, 'call')} that match</button>`}
    <span class="row">${Object.entries(ACTS).map(
      ([name, act]) =>
        html`<button type="button" key=${name} class="small" disabled=${!act.fits(wanted)} title=${act.fits(wanted) ? undefined : `For calls that ${act.whose}`} onClick=${() => act_on(name, wanted, selection.clear)}><${Icon} name=${act.icon} />${act.label}</button>`,
    )}<button type="button" class="small" onClick=${save}><${Icon} name="download" />Export</button>
    <button type="button" class="small bare" aria-label="Clear the selection" title="Clear the selection" onClick=${selection.clear}><${Icon} name="x" /></button></span></section>`;
}
