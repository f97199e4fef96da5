/** The fields of a line of CSV (copyfromparse.c's CopyReadAttributesCSV). */
import { raise } from '../../base/errors.js';
import { type CopyOptions, defaultMarker, type Field } from './options.js';

/** A field and whether a part of it was quoted: NULL and defaults never are. */
interface CsvField {
  readonly text: string;
  readonly quoted: boolean;
}

/**
 * `columns` are the names of the fields in their order. Raises 22P04 for a quote without its end.
 */
export function csvFields(line: string, options: CopyOptions, columns: readonly string[]): Field[] {
  return split(line, options).map(({ text, quoted }, i) => {
    const name = columns[i];
    if (!quoted && text === options.null) {
      return isNamed(options.forceNotNull, name) ? options.null : null;
    }
    if (!quoted && options.default !== undefined && text === options.default) return defaultMarker;
    return text === options.null && isNamed(options.forceNull, name) ? null : text;
  });
}

function isNamed(names: 'all' | ReadonlySet<string>, name: string | undefined): boolean {
  return names === 'all' || (name !== undefined && names.has(name));
}

function split(line: string, { delimiter, quote, escape: escapedBy }: CopyOptions): CsvField[] {
  if (!line.includes(quote)) {
    return line.split(delimiter).map((text) => ({ text, quoted: false }));
  }
  const fields: CsvField[] = [];
  let text = '';
  let quoted = false;
  let inQuote = false;
  for (let at = 0; at < line.length; at += 1) {
    const c = line[at] as string;
    if (inQuote) {
      const next = line[at + 1];
      if (c === escapedBy && (next === quote || next === escapedBy)) {
        text += next;
        at += 1;
      } else if (c === quote) {
        inQuote = false;
      } else {
        text += c;
      }
    } else if (c === delimiter) {
      fields.push({ text, quoted });
      text = '';
      quoted = false;
    } else if (c === quote) {
      quoted = true;
      inQuote = true;
    } else {
      text += c;
    }
  }
  if (inQuote) raise('bad_copy_file_format', 'unterminated CSV quoted field');
  fields.push({ text, quoted });
  return fields;
}
