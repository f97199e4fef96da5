/**
 * What psql printed for the lines of a script: the expected files of PostgreSQL's regression tests,
 * taken apart into results and errors.
 */
import { assert } from '#src/base/assert.js';
import type { ScriptLine } from './script.js';

/** Outcomes as psql shows them; texts without the blanks around them. */
export type Outcome =
  | {
      readonly kind: 'rows';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'nothing' };

/** What was printed behind each line of the script, in order, taken apart. */
export function alignOutput(script: readonly ScriptLine[], output: string): Outcome[][] {
  return alignLines(script, output).map(outcomesOf);
}

/** Lines that were printed behind each line of the script, in order. */
export function alignLines(script: readonly ScriptLine[], output: string): string[][] {
  const lines = output.split('\n');
  const printed: string[][] = [];
  let at = 0;
  script.forEach((line, i) => {
    assert(lines[at] === line.text, 'the output echoes the script', at + 1, lines[at], line.text);
    at += 1;
    const end = line.items.length === 0 ? at : nextEcho(script, i + 1, lines, at);
    printed.push(lines.slice(at, end));
    at = end;
  });
  return printed;
}

/** Lines of the script that must follow each other for an echo to be one. */
const echoLines = 4;

/** The line of the output that echoes line `next` of the script. */
function nextEcho(
  script: readonly ScriptLine[],
  next: number,
  lines: readonly string[],
  from: number,
): number {
  const wanted: string[] = [];
  for (let i = next; i < script.length && wanted.length < echoLines; i += 1) {
    const line = script[i];
    if (line === undefined) break;
    wanted.push(line.text);
    if (line.items.length > 0) break;
  }
  if (wanted.length === 0) return lines.length;
  for (let at = from; at <= lines.length - wanted.length; at += 1) {
    if (wanted.every((line, i) => lines[at + i] === line)) return at;
  }
  return assert(false, 'the script goes on in the output', from + 1, ...wanted) as never;
}

const message = /^(ERROR|FATAL|NOTICE|WARNING|INFO|LOG|DEBUG): {2}(.*)$/;
const rowCount = /^\(\d+ rows?\)$/;

function outcomesOf(lines: readonly string[]): Outcome[] {
  const outcomes: Outcome[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    const said = message.exec(line);
    if (said !== null) {
      if (said[1] === 'ERROR' || said[1] === 'FATAL') {
        outcomes.push({ kind: 'error', message: said[2] ?? '' });
      }
      at += 1;
    } else if (/^-[-+]+$/.test(lines[at + 1] ?? '')) {
      const end = lines.findIndex((candidate, i) => i > at && rowCount.test(candidate));
      if (end < 0) break;
      outcomes.push(readTable(line, lines[at + 1] ?? '', lines.slice(at + 2, end)));
      at = end + 1;
    } else if (line === '--' && rowCount.test(lines[at + 1] ?? '')) {
      // Rows without columns: psql only counts them.
      const count = Number(/\d+/.exec(lines[at + 1] ?? '')?.[0]);
      outcomes.push({ kind: 'rows', columns: [], rows: Array.from({ length: count }, () => []) });
      at += 2;
    } else if (/^-\[ RECORD 1 \]/.test(line)) {
      const end = lines.indexOf('', at);
      const stop = end < 0 ? lines.length : end;
      outcomes.push(readExpanded(lines.slice(at, stop)));
      at = stop;
    } else {
      at += 1;
    }
  }
  return outcomes;
}

interface ColumnSpan {
  readonly from: number;
  readonly to: number;
}

function readTable(header: string, rule: string, lines: readonly string[]): Outcome {
  const spans = spansOf(rule);
  const columns =
    rule === '--' && header === '' ? [] : cellsOf(header, spans).map(({ text }) => text.trim());
  const rows: string[][] = [];
  let open: string[][] | undefined;
  for (const line of lines) {
    const cells = cellsOf(line, spans);
    open ??= columns.map(() => []);
    for (const [i, cell] of cells.entries()) open[i]?.push(cell.text);
    if (cells.some(({ goesOn }) => goesOn)) continue;
    rows.push(
      open.map((parts) =>
        parts
          .map((part) => part.trim())
          .join('\n')
          .trim(),
      ),
    );
    open = undefined;
  }
  return { kind: 'rows', columns, rows };
}

function spansOf(rule: string): ColumnSpan[] {
  const spans: ColumnSpan[] = [];
  let from = 0;
  for (const dashes of rule.split('+')) {
    spans.push({ from, to: from + dashes.length });
    from += dashes.length + 1;
  }
  return spans;
}

/** The width of a character on the screen, as psql reckons it. */
function widthOf(character: string): number {
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(
    character,
  )
    ? 2
    : 1;
}

function cellsOf(
  line: string,
  spans: readonly ColumnSpan[],
): { readonly text: string; readonly goesOn: boolean }[] {
  const cells = spans.map(() => ({ text: '', edge: '' }));
  let column = 0;
  let position = 0;
  for (const character of line) {
    const span = spans[column];
    if (span !== undefined && position >= span.to && column < spans.length - 1) {
      column += 1;
    } else {
      const cell = cells[column];
      if (cell === undefined) break;
      if (position === (span?.to ?? 0) - 1) cell.edge = character;
      else cell.text += character;
    }
    position += widthOf(character);
  }
  return cells.map(({ text, edge }) =>
    edge === '+' ? { text, goesOn: true } : { text: text + edge, goesOn: false },
  );
}

function readExpanded(lines: readonly string[]): Outcome {
  const columns: string[] = [];
  const rows: string[][] = [];
  for (const line of lines) {
    if (line.startsWith('-[ RECORD')) {
      rows.push([]);
      continue;
    }
    const bar = line.indexOf('|');
    const name = line.slice(0, bar).trim();
    if (rows.length === 1) columns.push(name);
    rows.at(-1)?.push(line.slice(bar + 1).trim());
  }
  return { kind: 'rows', columns, rows };
}
