// Numbers as people write them, and a file of numbers.

const MOST_BYTES = 25 * 1024 * 1024;

/** A number without what people write between its digits. */
export function number(text) {
  return text
    .replace(/^'/, '')
    .replace(/[\s().\u00a0-]/g, '')
    .replace(/^00/, '+');
}

/** The first cell of each line that is not empty, `{line, cell}`; a header has no digit. */
export async function first_cells(file) {
  if (file.size > MOST_BYTES) throw new Error('The file is larger than 25 MB; split it.');
  const found = (await file.text()).split(/\r\n|\r|\n/).map((text, at) => ({
    line: at + 1,
    cell: text
      .split(/[,;\t|]/, 1)[0]
      .replaceAll('"', '')
      .trim(),
  }));
  return found.filter(({ line, cell }) => cell && (line > 1 || /[0-9]/.test(cell)));
}
