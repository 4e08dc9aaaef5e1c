// What the forms tell the calling rules of a call: the person's consent, and rules that do not hold.
import { html } from '../html.js';
import { Field } from '../parts.js';
import { from_wall } from '../zone.js';

const LIFTABLE = [
  ['hours', 'hours'],
  ['closed-day', 'closed days'],
  ['cap', 'caps and pauses'],
  ['unknown-zone', 'unknown place'],
];

export const blank_rules = () => ({
  consentBasis: '',
  consentAt: '',
  consentEvidence: '',
  overrideRules: [],
  overrideReason: '',
});

/** The fields of a request's body. Throws `{errors}` for a time that no clock shows. */
export function rules_of(form) {
  const said = {};
  if (form.consentBasis || form.consentAt || form.consentEvidence)
    said.consent = { basis: form.consentBasis, at: agreed_at(form.consentAt) };
  if (form.consentEvidence) said.consent.evidence = form.consentEvidence;
  if (form.overrideRules.length || form.overrideReason)
    said.override = { rules: form.overrideRules, reason: form.overrideReason };
  return said;
}

function agreed_at(text) {
  try {
    return from_wall(text);
  } catch (error) {
    throw Object.assign(error, { errors: { consent: [error.message] } });
  }
}

export function RuleFields({ form, set, errors }) {
  const change = (name) => (event) => set({ ...form, [name]: event.target.value });
  const lift = (name) => (event) =>
    set({
      ...form,
      overrideRules: event.target.checked
        ? [...form.overrideRules, name]
        : form.overrideRules.filter((each) => each !== name),
    });
  return html`
    <details class="more"><summary>Consent, and calls against the rules</summary>
      <div class="pair"><${Field} id="consent" label="Consent" optional errors=${errors.consent} hint="How the person agreed, such as written.">${(aria) => html`<input ...${aria} autocomplete="off" maxlength="200" value=${form.consentBasis} onInput=${change('consentBasis')} />`}<//>
      <${Field} id="consent-at" label="Agreed at" optional>${(aria) => html`<input ...${aria} type="datetime-local" value=${form.consentAt} onInput=${change('consentAt')} />`}<//></div>
      <${Field} id="evidence" label="Evidence" optional hint="Where it can be found.">${(aria) => html`<input ...${aria} autocomplete="off" maxlength="200" value=${form.consentEvidence} onInput=${change('consentEvidence')} />`}<//>
      <fieldset class="ticks"><legend>Not to hold for this call</legend>
        ${LIFTABLE.map(([key, text]) => html`<label key=${key}><input type="checkbox" checked=${form.overrideRules.includes(key)} onChange=${lift(key)} /> ${text}</label>`)}</fieldset>
      <${Field} id="override" label="Because" optional errors=${errors.override} hint="Only keys in OVERRIDE_KEYS may; the reason is recorded with the name of the key.">${(aria) => html`<input ...${aria} autocomplete="off" maxlength="200" value=${form.overrideReason} onInput=${change('overrideReason')} />`}<//>
    </details>`;
}
