// The fields of one call in the forms, and the body of the request that they make.
import { html } from '../html.js';
import { overview } from '../live.js';
import { Choice, Field } from '../parts.js';
import { useCell } from '../state.js';
import { from_wall } from '../zone.js';
import { blank_rules, RuleFields, rules_of } from './place_rules.js';

const PRIORITIES = [
  ['high', 'High'],
  ['normal', 'Normal'],
  ['low', 'Low'],
];
const DETECTION = [
  ['', 'As in the settings'],
  ['off', 'Off'],
  ['enable', 'As soon as possible'],
  ['detect-message-end', 'After the greeting'],
];
/**
 * Fields of the API that are a line here: name, label, what says how to write it, and what is sent
 * where that is not the text.
 */
const OPTIONS = [
  ['language', 'Language', { hint: 'Such as de-DE or ar.' }, { placeholder: 'en-US' }],
  ['voice', 'Voice', { hint: 'Twilio’s name of it.' }, { placeholder: 'Polly.Joanna' }],
  [
    'twimlUrl',
    'Application for this call',
    { hint: 'Twilio asks this address what to do, in place of the message.' },
    { type: 'url', placeholder: 'https://agents.example.com/voice' },
  ],
  [
    'ringTimeoutMs',
    'Ring for',
    { hint: 'Seconds, 5 to 600.' },
    { type: 'number', min: 5, max: 600, placeholder: '30' },
    (seconds) => Math.round(Number(seconds) * 1000),
  ],
  [
    'sendDigits',
    'Keys to press',
    { hint: 'Once it is answered, for an extension; w waits half a second.' },
    { placeholder: 'ww123#' },
  ],
  [
    'timezone',
    'Time zone of the person',
    { hint: 'For the calling rules, where the number does not tell it.' },
    { placeholder: 'America/Chicago' },
  ],
  [
    'personTimezone',
    'Where the person is',
    { hint: 'A time zone for the calling rules, where the number does not tell it.' },
    { placeholder: 'America/Chicago' },
  ],
  ['region', 'Country or state', { hint: 'In ISO 3166.' }, { placeholder: 'US-FL' }],
  [
    'purpose',
    'Purpose',
    { hint: 'marketing, informational or debt.' },
    { placeholder: 'informational' },
  ],
];
const OUTCOMES = [
  ['busy', 'busy'],
  ['no-answer', 'no answer'],
  ['failed', 'failed'],
  ['machine', 'voicemail'],
];
const MOST = 3000;

export const blank = () => ({
  to: '',
  message: '',
  lead_id: '',
  priority: 'normal',
  retry: false,
  retryOn: [],
  machineDetection: '',
  voicemailMessage: '',
  record: false,
  metadata: '',
  ...Object.fromEntries(OPTIONS.map(([name]) => [name, ''])),
  ...blank_rules(),
  notAfter: '',
  from: '',
});

/** The time in a control, as an ISO time. Throws an error of its field. */
export function instant(name, text) {
  try {
    return from_wall(text);
  } catch (error) {
    throw Object.assign(error, { errors: { [name]: [error.message] } });
  }
}

/** The body of a request for one call. Throws `{errors}` without a message, or for metadata that is no JSON. */
export function body_of(form) {
  // An application of the call's own speaks in place of the message.
  if (!form.twimlUrl && !form.message.trim()) {
    const message = 'Say what the person is to hear.';
    throw Object.assign(new Error(message), { errors: { message: [message] } });
  }
  const body = { to: form.to.replace(/[\s().-]/g, ''), priority: form.priority };
  for (const name of ['message', 'lead_id', 'machineDetection', 'voicemailMessage', 'from'])
    if (form[name]) body[name] = form[name];
  for (const [name, , , , sent = (text) => text] of OPTIONS)
    if (form[name]) body[name] = sent(form[name]);
  Object.assign(body, rules_of(form));
  if (form.record) body.record = true;
  if (form.retry) body.retryOn = form.retryOn;
  if (form.notAfter) body.notAfter = instant('notAfter', form.notAfter);
  if (form.metadata.trim()) {
    try {
      body.metadata = JSON.parse(form.metadata);
    } catch (error) {
      throw Object.assign(new Error('The metadata is not JSON.'), {
        errors: { metadata: [`This is not JSON: ${error.message}`] },
      });
    }
  }
  return body;
}

/** Enter after the number goes on to the message: nobody rings a phone by accident. */
function on_to_message(event) {
  if (event.key !== 'Enter') return;
  event.preventDefault();
  document.getElementById('message').focus();
}

export function CallFields({ form, set, errors, recurring = false }) {
  // A recurring call has the zone of its pattern by the name of the one.
  const other = recurring ? 'timezone' : 'personTimezone';
  const options = OPTIONS.filter(([name]) => name !== other);
  const { shown } = useCell(overview);
  const senders = (shown && shown.senders) || [];
  const change = (name) => (event) => set({ ...form, [name]: event.target.value });
  const tick = (name) => (event) =>
    set({
      ...form,
      retryOn: event.target.checked
        ? [...form.retryOn, name]
        : form.retryOn.filter((each) => each !== name),
    });
  return html`
    <${Field} id="to" label="Number to call" hint="Start with + and the country code, like +49 30 1234567." errors=${errors.to}>${(aria) => html`<input ...${aria} type="tel" autocomplete="off" placeholder="+14155550123" required value=${form.to} onInput=${change('to')} onKeyDown=${on_to_message} />`}<//>
    <${Field} id="message" label="Message" errors=${errors.message} hint=${form.message.length > MOST * 0.8 ? `${form.message.length} of ${MOST} characters` : 'Spoken when the phone is picked up.'}>${(aria) => html`<textarea ...${aria} rows="3" maxlength=${MOST} required=${!form.twimlUrl} placeholder="What the person hears" value=${form.message} onInput=${change('message')}></textarea>`}<//>
    <div class="pair"><${Choice} name="priority" label="Priority" options=${PRIORITIES} value=${form.priority} set=${(priority) => set({ ...form, priority })} />
    <${Field} id="lead" label="Lead" optional errors=${errors.lead_id} hint="Your own name for the person.">${(aria) => html`<input ...${aria} maxlength="128" autocomplete="off" value=${form.lead_id} onInput=${change('lead_id')} />`}<//></div>
    <details class="more"><summary>Voice, retries, answering machines, metadata</summary>
      <div class="pair">${options.map(([name, label, how, input]) => html`<${Field} key=${name} id=${name} label=${label} optional errors=${errors[name]} ...${how}>${(aria) => html`<input ...${aria} ...${input} autocomplete="off" value=${form[name]} onInput=${change(name)} />`}<//>`)}</div>
      ${senders.length > 1 && html`<${Field} id="from" label="Call from" errors=${errors.from}>${(aria) => html`<select ...${aria} value=${form.from} onChange=${change('from')}><option value="">As in the settings</option>${senders.map((each) => html`<option value=${each} key=${each}>${each}</option>`)}</select>`}<//>`}
      <fieldset class="ticks"><legend>Retry when</legend>
        <label><input type="checkbox" checked=${!form.retry} onChange=${(event) => set({ ...form, retry: !event.target.checked })} /> as in the settings (RETRY_ON, by default never)</label>
        ${OUTCOMES.map(([key, text]) => html`<label key=${key}><input type="checkbox" disabled=${!form.retry} checked=${form.retryOn.includes(key)} onChange=${tick(key)} /> ${text}</label>`)}</fieldset>
      <${Field} id="detection" label="Detect voicemail" errors=${errors.machineDetection}>${(aria) => html`<select ...${aria} value=${form.machineDetection} onChange=${change('machineDetection')}>${DETECTION.map(([key, text]) => html`<option value=${key} key=${key}>${text}</option>`)}</select>`}<//>
      <${Field} id="voicemail" label="Voicemail message" optional errors=${errors.voicemailMessage}>${(aria) => html`<textarea ...${aria} rows="2" value=${form.voicemailMessage} onInput=${change('voicemailMessage')}></textarea>`}<//>
      <fieldset class="ticks"><legend>Recording</legend><label><input type="checkbox" checked=${form.record} onChange=${(event) => set({ ...form, record: event.target.checked })} /> record the call; who is recorded has to agree</label>
        ${errors.record && html`<p class="fault">${errors.record[0]}</p>`}</fieldset>
      <${Field} id="metadata" label="Metadata" optional hint="A JSON object, returned as sent." errors=${errors.metadata}>${(aria) => html`<textarea ...${aria} rows="2" class="code" placeholder='{"campaign": "Q4"}' value=${form.metadata} onInput=${change('metadata')}></textarea>`}<//>
    </details>
    <${RuleFields} form=${form} set=${set} errors=${errors} />`;
}

export const LatestStart = ({ form, set, errors }) =>
  html`<${Field} id="latest" label="Latest start" optional errors=${errors.notAfter} hint="After this it fails and never rings.">${(aria) => html`<input ...${aria} type="datetime-local" value=${form.notAfter} onInput=${(event) => set({ ...form, notAfter: event.target.value })} />`}<//>`;
