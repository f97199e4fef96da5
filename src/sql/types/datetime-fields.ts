/** Cuts the text of a date, time or interval into fields, as ParseDateTime() of datetime.c does. */

export type FieldKind = 'number' | 'date' | 'time' | 'zone' | 'word' | 'special';

export interface Field {
  readonly kind: FieldKind;
  /** In lower case. */
  readonly text: string;
}

const digit = /[0-9]/;
const letter = /[a-z]/;
const fieldsMax = 25;

/** The fields, or undefined when the text cannot be a date, time or interval. */
export function splitFields(
  source: string,
  isWord: (word: string) => boolean,
): Field[] | undefined {
  const text = source.toLowerCase();
  const fields: Field[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text[at] ?? '';
    let field: Field | undefined;
    if (digit.test(character)) field = numberField(text, at);
    else if (character === '.' && digit.test(text[at + 1] ?? '')) {
      field = { kind: 'number', text: match(/\.[0-9]*/y, text, at) };
    } else if (letter.test(character)) field = wordField(text, at, isWord);
    else if (character === '+' || character === '-') {
      const gap = match(/[+-]\s*/y, text, at);
      const rest = match(/[0-9][0-9:.-]*|[a-z]+/y, text, at + gap.length);
      if (rest === '') return undefined;
      at += gap.length - 1;
      field = { kind: digit.test(rest) ? 'zone' : 'special', text: character + rest };
    } else if (/[\s!-/:-@[-`{-~]/.test(character)) {
      at += 1;
      continue;
    }
    if (field === undefined || fields.length >= fieldsMax) return undefined;
    fields.push(field);
    at += field.text.length;
  }
  return fields;
}

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? '';
}

function numberField(text: string, at: number): Field {
  const digits = match(/[0-9]+/y, text, at);
  const next = text[at + digits.length] ?? '';
  if (next === ':') return { kind: 'time', text: match(/[0-9]+:[0-9:.]*/y, text, at) };
  if (next !== '-' && next !== '/' && next !== '.') return { kind: 'number', text: digits };
  const after = text[at + digits.length + 1] ?? '';
  if (!digit.test(after)) {
    const pattern = next === '-' ? /[a-z0-9-]+/y : next === '/' ? /[a-z0-9/]+/y : /[a-z0-9.]+/y;
    return { kind: 'date', text: match(pattern, text, at) };
  }
  const two = digits + next + match(/[0-9]+/y, text, at + digits.length + 1);
  if (text[at + two.length] !== next) {
    return { kind: next === '.' ? 'number' : 'date', text: two };
  }
  const pattern = next === '-' ? /[0-9-]+/y : next === '/' ? /[0-9/]+/y : /[0-9.]+/y;
  return { kind: 'date', text: match(pattern, text, at) };
}

function wordField(text: string, at: number, isWord: (word: string) => boolean): Field {
  const word = match(/[a-z]+/y, text, at);
  const next = text[at + word.length] ?? '';
  const joined = /[-/.]/.test(next) || (/[+0-9]/.test(next) && !isWord(word));
  if (!joined) return { kind: 'word', text: word };
  return { kind: 'date', text: match(/[a-z0-9+\-/_.:]+/y, text, at) };
}
