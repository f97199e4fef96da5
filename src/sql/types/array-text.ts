/** Arrays as text: `{1,2}`, `{{a,"b c"},{NULL,d}}`, `[0:1]={1,2}`. */
import { raise } from '../../base/errors.js';
import { ArrayValue } from './array.js';
import { arrayDimensionsMax, arrayElementsMax } from './limits.js';
import type { Value } from './value.js';

const space = /[ \t\n\v\f\r]/;
const needsQuotes = /[{}",\\ \t\n\v\f\r]/;

/** PostgreSQL's output. */
export function printArray(array: ArrayValue, printElement: (element: Value) => string): string {
  const { dimensions, lowerBounds, elements } = array;
  if (dimensions.length === 0) return '{}';
  let next = 0;
  const part = (dimension: number): string => {
    const parts: string[] = [];
    for (let i = 0; i < (dimensions[dimension] ?? 0); i += 1) {
      if (dimension + 1 < dimensions.length) parts.push(part(dimension + 1));
      else {
        parts.push(quoted(elements[next] ?? null, printElement));
        next += 1;
      }
    }
    return `{${parts.join(',')}}`;
  };
  const body = part(0);
  if (lowerBounds.every((bound) => bound === 1)) return body;
  const bounds = dimensions.map((length, i) => {
    const lower = lowerBounds[i] ?? 1;
    return `[${lower}:${lower + length - 1}]`;
  });
  return `${bounds.join('')}=${body}`;
}

function quoted(element: Value, printElement: (element: Value) => string): string {
  if (element === null) return 'NULL';
  const text = printElement(element);
  const bare = text !== '' && !needsQuotes.test(text) && text.toLowerCase() !== 'null';
  return bare ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Reads an array; raises 22P02, 2202E or 54000, and what reading an element raises. */
export function parseArray(text: string, parseElement: (text: string) => Value): ArrayValue {
  return new ArrayReader(text, parseElement).read();
}

interface Bounds {
  readonly lower: number;
  readonly length: number;
}

class ArrayReader {
  readonly #text: string;
  readonly #parseElement: (text: string) => Value;
  readonly #elements: Value[] = [];
  /** The length of each dimension, once the first of its parts has ended. */
  readonly #lengths: (number | undefined)[] = [];
  #at = 0;
  /** The depth at which elements stand; undefined before the first. */
  #elementDepth: number | undefined;

  constructor(text: string, parseElement: (text: string) => Value) {
    this.#text = text;
    this.#parseElement = parseElement;
  }

  read(): ArrayValue {
    const bounds = this.#readBounds();
    this.#skipSpace();
    if (this.#text[this.#at] !== '{') {
      this.#malformed(
        bounds.length === 0
          ? 'Array value must start with "{" or dimension information.'
          : 'Array contents must start with "{".',
      );
    }
    this.#readPart(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#malformed('Junk after closing right brace.');
    if (this.#elements.length === 0) {
      if (bounds.length > 0 && bounds.some(({ length }) => length > 0)) this.#mismatch();
      return ArrayValue.empty;
    }
    const dimensions = this.#lengths.map((length) => length ?? 0);
    if (bounds.length === 0) {
      return new ArrayValue(
        dimensions,
        dimensions.map(() => 1),
        this.#elements,
      );
    }
    const fits =
      bounds.length === dimensions.length &&
      bounds.every(({ length }, i) => length === dimensions[i]);
    if (!fits) this.#mismatch();
    const lower = bounds.map((bound) => bound.lower);
    return new ArrayValue(dimensions, lower, this.#elements);
  }

  /** `[1:2][0:3]=`, with spaces before each bracket. */
  #readBounds(): Bounds[] {
    const bounds: Bounds[] = [];
    for (;;) {
      this.#skipSpace();
      if (this.#text[this.#at] !== '[') break;
      this.#at += 1;
      if (bounds.length >= arrayDimensionsMax) tooManyDimensions(bounds.length + 1);
      const first = this.#readBound();
      let [lower, upper] = [1, first];
      if (this.#text[this.#at] === ':') {
        this.#at += 1;
        [lower, upper] = [first, this.#readBound()];
      }
      if (this.#text[this.#at] !== ']') {
        this.#malformed('Missing "]" after array dimensions.');
      }
      this.#at += 1;
      if (upper < lower) {
        raise('array_subscript_error', 'upper bound cannot be less than lower bound');
      }
      bounds.push({ lower, length: upper - lower + 1 });
    }
    if (bounds.length > 0) {
      this.#skipSpace();
      if (this.#text[this.#at] !== '=') this.#malformed('Missing "=" after array dimensions.');
      this.#at += 1;
    }
    return bounds;
  }

  #readBound(): number {
    const number = /^[+-]?[0-9]+/.exec(this.#text.slice(this.#at));
    if (number === null) {
      this.#malformed('"[" must introduce explicitly-specified array dimensions.');
    }
    this.#at += number[0].length;
    const bound = Number(number[0]);
    if (bound < -(2 ** 31) || bound >= 2 ** 31) {
      raise('numeric_value_out_of_range', 'array bound is out of integer range');
    }
    return bound;
  }

  /** From `{` to its `}`. */
  #readPart(depth: number): void {
    if (depth >= arrayDimensionsMax) tooManyDimensions(depth + 1);
    this.#at += 1;
    let count = 0;
    this.#skipSpace();
    if (this.#text[this.#at] === '}') {
      // Only the whole array may be empty.
      if (depth > 0) this.#malformed('Unexpected "}" character.');
      this.#at += 1;
      this.#endPart(depth, 0);
      return;
    }
    for (;;) {
      this.#skipSpace();
      const character = this.#text[this.#at];
      if (character === '{') {
        if (this.#elementDepth === depth) this.#ragged();
        this.#readPart(depth + 1);
      } else {
        this.#readElement(depth);
      }
      count += 1;
      this.#skipSpace();
      const end = this.#text[this.#at];
      if (end === undefined) this.#malformed('Unexpected end of input.');
      this.#at += 1;
      if (end === '}') break;
      if (end !== ',') this.#malformed('Unexpected array element.');
      this.#skipSpace();
      if (this.#text[this.#at] === '}') this.#malformed('Unexpected "}" character.');
    }
    this.#endPart(depth, count);
  }

  #endPart(depth: number, count: number): void {
    const known = this.#lengths[depth];
    if (known !== undefined && known !== count) this.#ragged();
    this.#lengths[depth] = count;
  }

  #readElement(depth: number): void {
    if (this.#elementDepth !== undefined && this.#elementDepth !== depth) this.#ragged();
    // A part of a deeper dimension has ended before: this one is no element of it.
    if (this.#lengths[depth + 1] !== undefined) this.#ragged();
    this.#elementDepth = depth;
    const { text, wasQuoted } = this.#readText();
    const isNull = !wasQuoted && text.toLowerCase() === 'null';
    this.#elements.push(isNull ? null : this.#parseElement(text));
    if (this.#elements.length > arrayElementsMax) arrayTooLarge();
  }

  /** The text of an element, up to the comma or brace after it. */
  #readText(): { readonly text: string; readonly wasQuoted: boolean } {
    if (this.#text[this.#at] === '"') return { text: this.#readQuoted(), wasQuoted: true };
    let text = '';
    let kept = 0;
    let wasQuoted = false;
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) this.#malformed('Unexpected end of input.');
      if (character === ',' || character === '}') break;
      if (character === '{') this.#malformed('Unexpected "{" character.');
      if (character === '"') this.#malformed('Unexpected array element.');
      this.#at += 1;
      if (character === '\\') {
        const escaped = this.#text[this.#at];
        if (escaped === undefined) this.#malformed('Unexpected end of input.');
        this.#at += 1;
        text += escaped;
        kept = text.length;
        wasQuoted = true;
      } else {
        text += character;
        if (!space.test(character)) kept = text.length;
      }
    }
    if (kept === 0) this.#malformed(`Unexpected "${this.#text[this.#at]}" character.`);
    return { text: text.slice(0, kept), wasQuoted };
  }

  #readQuoted(): string {
    let text = '';
    for (this.#at += 1; ; this.#at += 1) {
      const character = this.#text[this.#at];
      if (character === undefined) this.#malformed('Unexpected end of input.');
      if (character === '"') break;
      if (character === '\\') this.#at += 1;
      const kept = this.#text[this.#at];
      if (kept === undefined) this.#malformed('Unexpected end of input.');
      text += kept;
    }
    this.#at += 1;
    return text;
  }

  #skipSpace(): void {
    while (space.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #ragged(): never {
    this.#malformed('Multidimensional arrays must have sub-arrays with matching dimensions.');
  }

  #mismatch(): never {
    this.#malformed('Specified array dimensions do not match array contents.');
  }

  #malformed(detail: string): never {
    raise('invalid_text_representation', `malformed array literal: "${this.#text}"`, { detail });
  }
}

/** Raises 54000. */
export function tooManyDimensions(count: number): never {
  raise(
    'program_limit_exceeded',
    `number of array dimensions (${count}) exceeds the maximum allowed (${arrayDimensionsMax})`,
  );
}

/** Raises 54000. */
export function arrayTooLarge(): never {
  raise('program_limit_exceeded', `array size exceeds the maximum allowed (${arrayElementsMax})`);
}
