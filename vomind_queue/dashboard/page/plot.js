// Charts by uPlot (vendor/uplot), in the page's colours; each has its words and its table beside it.
import { html, useEffect, useRef, useState } from './html.js';
import { short_clock } from './words.js';
import { ZONE } from './zone.js';

const HEIGHT = 230;
const DAY_S = 86_400;
const { uPlot } = globalThis;
const WEEKDAY = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  timeZone: ZONE,
});
/** What the clocks of the page's zone show then; `seconds` of unix time. */
const there = (seconds) => uPlot.tzDate(new Date(seconds * 1000), ZONE);

/** A colour as it is in force; a canvas knows no custom properties. */
function colour(box, name) {
  const probe = document.createElement('i');
  probe.style.color = `var(--${name})`;
  box.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Grows each time the colours change: the page's choice, or the system's. */
function useColours() {
  const [turn, set] = useState(0);
  useEffect(() => {
    const changed = () => set((n) => n + 1);
    const chosen = new MutationObserver(changed);
    chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    const system = matchMedia('(prefers-color-scheme: dark)');
    system.addEventListener('change', changed);
    return () => {
      chosen.disconnect();
      system.removeEventListener('change', changed);
    };
  }, []);
  return turn;
}

/** Times on the axis: the clock, or the day where a day begins. */
export const times = (_plot, splits, _axis, _space, step) =>
  splits.map((at) => {
    const shown = there(at);
    const midnight = shown.getHours() === 0 && shown.getMinutes() === 0;
    return step >= DAY_S || midnight ? WEEKDAY.format(at * 1000) : short_clock(at * 1000);
  });

function axes(box, { across, up }) {
  const line = { stroke: colour(box, 'line'), width: 1 };
  const look = {
    stroke: colour(box, 'faint'),
    font: '11.5px Inter, sans-serif',
    ticks: { show: false },
  };
  return [
    { ...look, grid: { show: false }, values: across, space: 70, size: 28 },
    { ...look, grid: line, values: (_plot, splits) => splits.map(up), size: 62 },
  ];
}

const BARS = uPlot.paths.bars({ size: [0.82, 40], align: 1 });

/** So few values that one may have no neighbour to draw a line to. */
const few = (plot, at) => plot.data[at].filter((value) => value !== null).length < 40;

/** One line, or one row of bars; `tone` is a custom property without its dashes. */
function line(box, { tone, bars }) {
  const stroke = colour(box, tone);
  return bars
    ? { fill: stroke, width: 0, paths: BARS, points: { show: false } }
    : { stroke, width: 2, points: { size: 5, fill: stroke, show: few } };
}

/**
 * `columns`: what lies across, then the values of each of `lines` (`{tone, bars}`), the highest
 * first where bars are stacked. `over` is told at which place the pointer is, or null.
 */
export function Plot({ label, columns, lines, across, up, top, clock = true, over }) {
  const box = useRef(null);
  const colours = useColours();
  useEffect(() => {
    const home = box.current;
    const width = () => Math.max(240, home.clientWidth);
    const [first, second] = columns[0];
    // A bar begins at its time: the last one has room after it.
    const after = lines.some((each) => each.bars) ? second - first || 1 : 0;
    const wide = (_plot, least, most) => [least, most + after];
    const options = {
      width: width(),
      height: HEIGHT,
      legend: { show: false },
      tzDate: there,
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      scales: {
        x: { time: clock, range: wide },
        y: { range: (_plot, _least, most) => [0, top(most)] },
      },
      axes: axes(home, { across, up }),
      series: [{}, ...lines.map((each) => line(home, each))],
      hooks: { setCursor: [(plot) => over(plot.cursor.idx ?? null)] },
    };
    const plot = new uPlot(options, columns, home);
    const seen = new ResizeObserver(() => plot.setSize({ width: width(), height: HEIGHT }));
    seen.observe(home);
    return () => {
      seen.disconnect();
      plot.destroy();
    };
  }, [columns, colours]);
  return html`<div class="plot" ref=${box} role="img" aria-label=${label}></div>`;
}

/** The numbers of a chart, for those who do not see it or want them exactly. */
export function Numbers({ name, head, rows }) {
  return html`<details class="numbers"><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label=${name}><table>
    <thead><tr>${head.map((each) => html`<th key=${each} scope="col">${each}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${row[0]}>${row.map((cell, at) => html`<td key=${at}>${cell}</td>`)}</tr>`)}</tbody></table></div></details>`;
}
