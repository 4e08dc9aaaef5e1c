// A file of calls: its rows, what its columns mean, and the calls that are made of them.
/* global Papa */

/** Where a column's values go, with the headers that say so. */
export const TARGETS = [
  {
    key: 'to',
    name: 'Number',
    needed: true,
    heads: [
      'to',
      'number',
      'phone',
      'phone number',
      'telephone',
      'mobile',
      'cell',
      'phonenumber',
      'tel',
      'msisdn',
    ],
  },
  { key: 'message', name: 'Message', heads: ['message', 'text', 'msg', 'script'] },
  {
    key: 'lead_id',
    name: 'Lead',
    heads: ['lead_id', 'lead', 'lead id', 'leadid', 'id', 'customer', 'customer id', 'contact id'],
  },
  { key: 'priority', name: 'Priority', heads: ['priority', 'urgency'] },
  {
    key: 'scheduleAt',
    name: 'Time',
    heads: ['scheduleat', 'schedule at', 'time', 'date', 'when', 'at', 'due', 'scheduled for'],
  },
  { key: 'delayMs', name: 'Delay in ms', heads: ['delayms', 'delay ms', 'delay'] },
  { key: 'language', name: 'Language', heads: ['language'], option: true },
  { key: 'voice', name: 'Voice', heads: ['voice'], option: true },
  { key: 'twimlUrl', name: 'Application', heads: ['twimlurl'], option: true },
  {
    key: 'ringTimeoutMs',
    name: 'Ring for, in ms',
    heads: ['ringtimeoutms', 'ring timeout ms'],
    option: true,
    whole: true,
  },
  {
    key: 'notAfter',
    name: 'Latest start',
    heads: ['notafter', 'not after', 'latest start', 'expires', 'deadline', 'valid until'],
    option: true,
  },
  { key: 'sendDigits', name: 'Keys to press', heads: ['senddigits', 'send digits'], option: true },
  { key: 'record', name: 'Record', heads: ['record'], option: true, flag: true },
  { key: 'from', name: 'Call from', heads: ['from'], option: true },
  { key: 'timezone', name: 'Time zone', heads: ['timezone', 'time zone', 'tz'], option: true },
  { key: 'region', name: 'Region', heads: ['region'], option: true },
  { key: 'purpose', name: 'Purpose', heads: ['purpose'], option: true },
];
/** A phone number, which is not a formula. */
const NUMBER = /^\+[0-9]{7,15}$/;
/**
 * Where a spreadsheet sees a formula (OWASP, CSV injection): at the beginning of a text and after
 * what may separate cells there.
 */
const FORMULA = /(^|[;|\t\r\n])([\s\u200b\u2060\ufeff]*)(?=[=+\-@＝＋－＠])|^(?=[\t\r\n])/g;
const MOST_BYTES = 50 * 1024 * 1024;

/** `{head, rows: [{line, cells}]}`. Throws Error with words for people. */
export async function read(file) {
  if (file.size > MOST_BYTES) throw new Error('The file is larger than 50 MB; split it.');
  const text = await decode(file);
  const rows = [];
  let [line, before] = [1, 0];
  Papa.parse(text, {
    delimiter: separator(text),
    step({ data, meta, errors }) {
      // One quotation mark that is not closed would make a message of all lines below.
      if (errors.some((error) => error.type === 'Quotes'))
        throw new Error(
          `A quotation mark in line ${line} is never closed, or something stands behind a closed one. Mend the file; a quotation mark within a cell is written twice.`,
        );
      if (data.some((cell) => cell.trim() !== '')) rows.push({ line, cells: data });
      // A cell may hold line breaks: lines are counted in the text itself.
      for (
        let at = text.indexOf('\n', before);
        at !== -1 && at < meta.cursor;
        at = text.indexOf('\n', at + 1)
      )
        line += 1;
      before = meta.cursor;
    },
  });
  if (rows.length < 2) throw new Error('The file has no rows below its header.');
  return { head: rows[0].cells.map((name) => name.trim()), rows: rows.slice(1) };
}

/** The first cell of each line that is not empty, `{line, cell}`; a header has no digit. */
export async function first_cells(file) {
  if (file.size > MOST_BYTES) throw new Error('The file is larger than 50 MB; split it.');
  const found = Papa.parse(await decode(file)).data.map(([cell], at) => ({
    line: at + 1,
    cell: (cell || '').trim(),
  }));
  return found.filter(({ line, cell }) => cell && (line > 1 || /[0-9]/.test(cell)));
}

/** The most frequent separator in the header, outside of quotes. */
function separator(text) {
  const head = text.split(/\r|\n/, 1)[0].replace(/"[^"]*"/g, '');
  const often = (mark) => head.split(mark).length;
  return [',', ';', '\t', '|'].reduce((best, mark) => (often(mark) > often(best) ? mark : best));
}

async function decode(file) {
  const bytes = await file.arrayBuffer();
  const [one, two] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  // "Unicode text" of a spreadsheet.
  if (one === 0xff && two === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (one === 0xfe && two === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // The default encoding of spreadsheets on Windows.
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** The likely meaning of each column: `{to: 0, message: 2}`. */
export function guess(head) {
  const names = head.map((name) => name.toLowerCase().replace(/[_-]/g, ' ').trim());
  const found = {};
  for (const target of TARGETS) {
    const at = names.findIndex(
      (name, index) =>
        target.heads.some((each) => each.replace(/[_-]/g, ' ') === name) &&
        !Object.values(found).includes(index),
    );
    if (at !== -1) found[target.key] = at;
  }
  return found;
}

/** A number as people write it, with a plus sign in front if its country is known. */
export function number(text, prefix) {
  const squeezed = text
    .replace(/^'/, '')
    .replace(/[\s().\u00a0-]/g, '')
    .replace(/^00/, '+');
  if (squeezed === '' || squeezed.startsWith('+') || !prefix) return squeezed;
  return prefix + squeezed.replace(/^0/, '');
}

/** The call that a row asks for. `plan`: `{columns, message, priority, prefix, rest}`. */
export function call_of(cells, head, plan) {
  const of = (key) =>
    plan.columns[key] === undefined ? '' : (cells[plan.columns[key]] || '').trim();
  const made = { to: number(of('to'), plan.prefix) };
  if (of('message') || plan.message) made.message = of('message') || plan.message;
  if (of('lead_id')) made.lead_id = of('lead_id');
  made.priority = of('priority').toLowerCase() || plan.priority;
  if (of('scheduleAt')) made.scheduleAt = of('scheduleAt');
  // The API refuses anything else in its own words.
  const whole = (text) => (/^[0-9]+$/.test(text) ? Number(text) : text);
  const flag = (text) => ({ true: true, false: false })[text.toLowerCase()] ?? text;
  if (of('delayMs')) made.delayMs = whole(of('delayMs'));
  for (const target of TARGETS.filter(({ option }) => option)) {
    const text = of(target.key);
    const read = target.whole ? whole : target.flag ? flag : (given) => given;
    if (text) made[target.key] = read(text);
  }
  if (plan.rest) {
    const used = Object.values(plan.columns);
    const others = head
      .map((name, at) => [name, cells[at]])
      .filter(([name, value], at) => name && value && !used.includes(at));
    if (others.length) made.metadata = Object.fromEntries(others);
  }
  return made;
}

/** A name for a text, the same on every machine, and available without https. */
export function name_of(text) {
  const parts = [0xdeadbeef, 0x41c6ce57, 0x9e3779b9, 0x85ebca6b];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    for (let each = 0; each < 4; each += 1)
      parts[each] = Math.imul(parts[each] ^ (unit + each * 0x9e37), 2654435761 + each * 0x3c6ef372);
  }
  return parts
    .map((part, at) => ((part ^ (parts[(at + 1) % 4] >>> 15)) >>> 0).toString(16).padStart(8, '0'))
    .join('');
}

/** A table as a file that a spreadsheet may open; each row is an object with the same keys. */
export const table = (rows) => `\ufeff${Papa.unparse(rows.map(defused))}\r\n`;

const defused = (row) =>
  Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, defuse(cell)]));

/** The text with an apostrophe before each formula, so that none is carried out. */
function defuse(cell) {
  if (typeof cell !== 'string' || NUMBER.test(cell)) return cell;
  return cell.replace(FORMULA, (_, before = '', unseen = '') => `${before}'${unseen}`);
}
