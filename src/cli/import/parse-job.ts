/** Parsing CSV, on the threads of jobs: pieces of a file in, records or what they could be out. */
import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse/sync';
import { anyType, type TypeSet, typesOf } from './infer.js';
import { type BadLine, type Piece, recordLines, splitRecords } from './records.js';

/** How a file is written. */
export interface CsvForm {
  /** One character of ASCII. */
  readonly delimiter: string;
  /** An unquoted field with this text is NULL. */
  readonly nullText: string;
}

/** A piece to parse. */
export interface ParseArgument extends CsvForm {
  readonly piece: Piece;
  /** Fields that a record must have; undefined to take any number. */
  readonly fields: number | undefined;
}

export type CsvRecord = readonly (string | null)[];

/** What a piece holds. */
export interface Parsed {
  readonly records: readonly CsvRecord[];
  /** Where each record begins. */
  readonly lines: readonly number[];
  readonly bad: readonly BadLine[];
}

/** The records of a piece. */
export function parsePiece(argument: ParseArgument): Parsed {
  const { piece, delimiter, fields } = argument;
  const whole = parseText(piece, argument);
  if (whole !== undefined) return checked(whole, fields, !isUtf8(piece.bytes));
  // The parser loses its way after a mistake: find the records that are mistaken one by one.
  const found: { record: CsvRecord; line: number }[] = [];
  const bad: BadLine[] = [];
  for (const single of splitRecords(piece, delimiter.charCodeAt(0))) {
    const parsed = parseText(single, argument, (reason) => bad.push({ line: single.line, reason }));
    found.push(...(parsed ?? []));
  }
  const rest = checked(found, fields, !isUtf8(piece.bytes));
  return { ...rest, bad: [...bad, ...rest.bad].sort((a, b) => a.line - b.line) };
}

/** What each column of a piece could be; `header` leaves the first record out. */
export function inferPiece(argument: ParseArgument & { readonly header: boolean }): TypeSet[] {
  const sets: TypeSet[] = [];
  const { records } = parsePiece(argument);
  for (const record of argument.header ? records.slice(1) : records) {
    record.forEach((value, i) => {
      const known = sets[i] ?? anyType;
      sets[i] = value === null ? known : known & typesOf(value);
    });
  }
  return sets;
}

/** Undefined when the text is no CSV; `onError` is told why. */
function parseText(
  piece: Piece,
  { delimiter, nullText }: CsvForm,
  onError?: (reason: string) => void,
): { record: CsvRecord; line: number }[] | undefined {
  const { buffer, byteOffset, byteLength } = piece.bytes;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const form = { delimiter, bom: true, relax_column_count: true, skip_empty_lines: true };
  try {
    // Telling quoted fields apart makes the parser five times slower: only where there may be any.
    const records: CsvRecord[] = bytes.includes(`"${nullText}"`)
      ? parse(bytes, {
          ...form,
          cast: (value, context) => (!context.quoting && value === nullText ? null : value),
        })
      : parse(bytes, form).map((record) => record.map((v) => (v === nullText ? null : v)));
    // The parser's own line numbers count the two characters of a break within quotes twice.
    const lines = recordLines(piece, delimiter.charCodeAt(0));
    return records.map((record, i) => ({ record, line: lines[i] ?? piece.line }));
  } catch (error) {
    const { message } = error as Error;
    onError?.(message.replace(/ (at|on) line \d+/, '').replace(/, value is .*$/s, ''));
    return undefined;
  }
}

function checked(
  found: readonly { record: CsvRecord; line: number }[],
  fields: number | undefined,
  broken: boolean,
): Parsed {
  const records: CsvRecord[] = [];
  const lines: number[] = [];
  const bad: BadLine[] = [];
  for (const { record, line } of found) {
    if (fields !== undefined && record.length !== fields) {
      bad.push({ line, reason: `${record.length} fields instead of ${fields}` });
    } else if (broken && record.some((value) => value?.includes('\ufffd') === true)) {
      bad.push({ line, reason: 'the text is not UTF-8' });
    } else {
      records.push(record);
      lines.push(line);
    }
  }
  return { records, lines, bad };
}
