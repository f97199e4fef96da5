/** The fields of a line of COPY's text format (copyfromparse.c's CopyReadAttributesText). */
import { readUtf8 } from '../types/index.js';
import { type CopyOptions, defaultMarker, type Field } from './options.js';

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

type TextOptions = Pick<CopyOptions, 'delimiter' | 'null' | 'default'>;

/** Raises 22021 for bytes that are no text. */
export function textFields(line: string, options: TextOptions): Field[] {
  const { delimiter } = options;
  if (!line.includes('\\')) {
    return line.split(delimiter).map((field) => meaning(field, options) ?? field);
  }
  const fields: Field[] = [];
  let from = 0;
  const add = (to: number): void => {
    const raw = line.slice(from, to);
    const special = meaning(raw, options);
    fields.push(special === undefined ? unescaped(raw) : special);
  };
  for (let at = 0; at < line.length; at += 1) {
    // What follows a backslash divides nothing.
    if (line[at] === '\\') at += 1;
    else if (line[at] === delimiter) {
      add(at);
      from = at + 1;
    }
  }
  add(line.length);
  return fields;
}

/** NULL and defaults are recognised before escapes are read; undefined for a text. */
function meaning(raw: string, options: TextOptions): Field | undefined {
  if (raw === options.null) return null;
  return options.default !== undefined && raw === options.default ? defaultMarker : undefined;
}

function unescaped(raw: string): string {
  if (!raw.includes('\\')) return raw;
  let text = '';
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length === 0) return;
    text += textOf(bytes);
    bytes = [];
  };
  for (let at = 0; at < raw.length; at += 1) {
    const c = raw[at] as string;
    const next = raw[at + 1];
    if (c !== '\\' || next === undefined) {
      flush();
      text += c;
      continue;
    }
    const code = /^(?:[0-7]{1,3}|x[0-9a-fA-F]{1,2})/.exec(raw.slice(at + 1, at + 4))?.[0];
    if (code === undefined) {
      flush();
      text += escapes[next] ?? next;
      at += 1;
      continue;
    }
    bytes.push((code.startsWith('x') ? parseInt(code.slice(1), 16) : parseInt(code, 8)) & 0xff);
    at += code.length;
  }
  flush();
  return text;
}

function textOf(bytes: readonly number[]): string {
  return readUtf8(Uint8Array.from(bytes));
}
