// Who has a key may come in.
import { signIn } from '../api.js';
import { html, useState } from '../html.js';
import { Field, Icon } from '../parts.js';

export function LoginPage() {
  const [key, type] = useState('');
  const [wrong, set] = useState([]);
  const [busy, wait] = useState(false);
  const go = async (event) => {
    event.preventDefault();
    wait(true);
    try {
      await signIn(key.trim());
    } catch (error) {
      set([error.status === 401 ? 'That key is not valid.' : error.message]);
      wait(false);
    }
  };
  return html`<main class="login"><form class="card form" onSubmit=${go}>
    <img src="dashboard/icon.svg" alt="" width="44" height="44" /><h1 tabindex="-1">VoMind Queue</h1>
    <p class="faint">Sign in with an API key.</p>
    <${Field} id="key" label="API key" errors=${wrong} hint="Kept in this tab alone, until it is closed.">${(aria) => html`<input ...${aria} type="password" autocomplete="current-password" required autofocus value=${key} onInput=${(event) => type(event.target.value)} />`}<//>
    <button class="primary" disabled=${busy}><${Icon} name="key-round" />Sign in</button></form></main>`;
}
