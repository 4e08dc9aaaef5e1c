// Two charts of sixty bars and less, drawn as SVG so that they follow the page's colours and can
// be read aloud; no chart library is needed for these.
import { now } from './api.js';
import { html, useLayoutEffect, useRef, useState } from './html.js';
import { count, many, OUTCOMES, percent, short_clock } from './words.js';

const MINUTES = 60;
const HEIGHT = 190;
const LEFT = 34;
const BOTTOM = 24;
const TOP = 14;
/** An allowance this much above the highest bar would flatten all bars, so it is given in words. */
const TOO_HIGH = 5;

function useWidth(box) {
  const [width, set] = useState(600);
  useLayoutEffect(() => {
    const seen = new ResizeObserver(([entry]) => set(Math.max(240, entry.contentRect.width)));
    seen.observe(box.current);
    return () => seen.disconnect();
  }, []);
  return width;
}

/** A round number at or above `most`, in steps that a person would choose. */
function ceiling(most) {
  const unit = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  const nice = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * unit >= most);
  // Half of it is at the axis as well.
  return Math.max(2 * Math.ceil((nice * unit) / 2), 4);
}

/** The last sixty minutes, those in which nothing happened included. */
function bars(minutes) {
  const by = new Map(minutes.map((each) => [Date.parse(each.at), each]));
  const last = Math.floor(now() / 60_000) * 60_000;
  return Array.from({ length: MINUTES }, (_, at) => {
    const begin = last - (MINUTES - 1 - at) * 60_000;
    const found = by.get(begin);
    return { at: begin, starts: found ? found.starts : 0 };
  });
}

/** Calls started in each minute of the last hour, against the limit. */
export function Starts({ minutes, rate }) {
  const box = useRef(null);
  const width = useWidth(box);
  const [over, point] = useState(null);
  const all = bars(minutes);
  const peak = Math.max(...all.map((bar) => bar.starts), 0);
  const total = all.reduce((sum, bar) => sum + bar.starts, 0);
  const allowance = rate ? Math.round((rate.max * 60_000) / rate.windowMs) : null;
  const drawn = allowance !== null && allowance <= Math.max(peak, 4) * TOO_HIGH;
  const top = ceiling(Math.max(peak, drawn ? allowance * 1.1 : 0));
  const step = (width - LEFT) / MINUTES;
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const said = `${many(total, 'call')} started in the last hour, at most ${count(peak)} in one minute${allowance === null ? '; no limit holds' : `; ${count(allowance)} a minute are allowed`}.`;
  return html`<figure class="chart">
    <p class="readout">${over ? html`<strong>${many(over.starts, 'start')}</strong> at ${short_clock(over.at)}` : html`<strong>${count(total)}</strong> in the last hour${allowance === null ? ', no limit' : `, ${count(allowance)} a minute allowed`}`}</p>
    <div ref=${box} onMouseLeave=${() => point(null)}>
      <svg width=${width} height=${HEIGHT} role="img" aria-label=${said}>
        ${[0, top / 2, top].map((line) => html`<g key=${line}><line class="grid" x1=${LEFT} x2=${width} y1=${y(line)} y2=${y(line)} /><text class="axis" x=${LEFT - 8} y=${y(line) + 4} text-anchor="end">${count(line)}</text></g>`)}
        ${all.map(
          (bar, at) => html`<g key=${bar.at} onMouseEnter=${() => point(bar)}>
          <rect class="target" x=${LEFT + at * step} y=${TOP} width=${step} height=${HEIGHT - TOP - BOTTOM} />
          <rect class=${`bar ${at === MINUTES - 1 ? 'now' : ''}`} x=${LEFT + at * step + Math.min(1.5, step * 0.15)} y=${y(bar.starts)} width=${Math.max(1, step - Math.min(3, step * 0.3))} height=${Math.max(0, y(0) - y(bar.starts))} rx=${Math.min(2, step / 4)} />
        </g>`,
        )}
        ${drawn && html`<line class="allowance" x1=${LEFT} x2=${width} y1=${y(allowance)} y2=${y(allowance)} />`}
        ${all.map((bar, at) => at % 15 === 0 && html`<text class="axis" key=${bar.at} x=${LEFT + at * step} y=${HEIGHT - 6}>${short_clock(bar.at)}</text>`)}
        <text class="axis" x=${width} y=${HEIGHT - 6} text-anchor="end">now</text>
      </svg>
    </div>
    <details class="numbers"><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label="Starts by minute"><table><thead><tr><th scope="col">Minute</th><th scope="col">Starts</th></tr></thead><tbody>
      ${all.filter((bar) => bar.starts).map((bar) => html`<tr key=${bar.at}><td>${short_clock(bar.at)}</td><td>${count(bar.starts)}</td></tr>`)}
    </tbody></table></div></details>
  </figure>`;
}

/** How the calls of the last hour ended. */
export function Outcomes({ outcomes }) {
  const total = Object.values(outcomes).reduce((sum, number) => sum + number, 0);
  if (!total) return html`<p class="faint">No call has ended in the last hour.</p>`;
  const rows = Object.entries(OUTCOMES).filter(([name]) => outcomes[name]);
  return html`<div class="outcomes">
    <div class="stack" aria-hidden="true">${rows.map(([name, { tone }]) => html`<i key=${name} class=${tone} style=${{ flexGrow: outcomes[name] }}></i>`)}</div>
    <dl>${rows.map(([name, { name: said, tone }]) => html`<div key=${name}><dt><i class=${`dot ${tone}`}></i>${said}</dt><dd><a href=${`#/calls?outcome=${name}&since=1h`}>${count(outcomes[name])}</a> <span class="faint">${percent(outcomes[name], total)}</span></dd></div>`)}</dl>
  </div>`;
}

/** Waiting calls by priority, as one bar: `[name, number, tone, address]` of each. */
export function Shares({ parts }) {
  const total = parts.reduce((sum, [, number]) => sum + number, 0);
  return html`<div class="shares"><div class=${`stack ${total ? '' : 'none'}`} aria-hidden="true">${parts.map(([name, number, tone]) => number > 0 && html`<i key=${name} class=${tone} style=${{ flexGrow: number }}></i>`)}</div>
    <dl>${parts.map(([name, number, tone, href]) => html`<div key=${name}><dt><i class=${`dot ${tone}`}></i>${name}</dt><dd><a href=${href}>${count(number)}</a></dd></div>`)}</dl></div>`;
}
