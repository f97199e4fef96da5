/**
 * Statement texts from tagged templates. Values become parameters `$1`, `$2`; they are never
 * spliced into the text. Only fragments (nested templates, identifiers, lists) add text.
 */
import { clientError } from './errors.js';
import { encodeParameter, type Parameter } from './values.js';

/** A piece of a statement: texts with values or other pieces between them. */
export class Fragment {
  /** One more than the parts. */
  readonly strings: readonly string[];
  readonly parts: readonly Part[];

  constructor(strings: readonly string[], parts: readonly Part[]) {
    this.strings = strings;
    this.parts = parts;
  }
}

/** Under this name a query gives the fragment that it was made from. */
export const asFragment: unique symbol = Symbol('fragment');

/** What may stand in `${}`: a value, which becomes a parameter, or a fragment. */
export type Part = Parameter | Fragment | { readonly [asFragment]: Fragment };

/** A text with `$n` and the parameters that belong to it. */
export interface Statement {
  readonly text: string;
  readonly parameters: readonly (null | boolean | number | string)[];
}

/** Texts of templates that hold plain values only: the same template always gives the same text. */
const plainTexts = new WeakMap<readonly string[], string>();

/**
 * The statement of a fragment.
 * @throws ShardForgeError 22023 when a value cannot be a parameter, such as undefined.
 */
export function statementOf(fragment: Fragment): Statement {
  const { strings, parts } = fragment;
  if (!parts.some((part) => fragmentOf(part) !== undefined)) {
    let text = plainTexts.get(strings);
    if (text === undefined) {
      text = strings.map((piece, i) => (i === 0 ? piece : `$${i}${piece}`)).join('');
      plainTexts.set(strings, text);
    }
    return {
      text,
      parameters: parts.map((part, i) => encodeParameter(part as Parameter, i + 1)),
    };
  }
  const pieces: string[] = [];
  const parameters: Statement['parameters'][number][] = [];
  append(fragment, pieces, parameters);
  return { text: pieces.join(''), parameters };
}

/** Quotes a name; several are joined by dots: `identifier('public', 'My table')`. */
export function identifier(...names: readonly string[]): Fragment {
  if (names.length === 0)
    throw clientError('invalid_parameter_value', 'an identifier needs a name');
  return new Fragment([names.map(quoteName).join('.')], []);
}

/**
 * A parenthesised list of parameters for IN.
 * @throws ShardForgeError 22023 for an empty list: SQL has no empty IN.
 */
export function list(values: readonly Parameter[]): Fragment {
  if (values.length === 0) {
    throw clientError('invalid_parameter_value', 'IN () is no SQL: the list is empty', {
      hint: 'Leave the condition out when there is nothing to look for.',
    });
  }
  return new Fragment(['(', ...new Array<string>(values.length - 1).fill(', '), ')'], values);
}

/** Parenthesised rows of parameters for VALUES. */
export function rows(values: readonly (readonly Parameter[])[]): Fragment {
  if (values.length === 0) throw clientError('invalid_parameter_value', 'VALUES needs a row');
  const lists = values.map((row) => list(row));
  return new Fragment(['', ...new Array<string>(lists.length - 1).fill(', '), ''], lists);
}

function append(
  fragment: Fragment,
  pieces: string[],
  parameters: Statement['parameters'][number][],
): void {
  fragment.strings.forEach((piece, i) => {
    pieces.push(piece);
    if (i >= fragment.parts.length) return;
    const part = fragment.parts[i];
    const nested = fragmentOf(part);
    if (nested !== undefined) {
      append(nested, pieces, parameters);
      return;
    }
    parameters.push(encodeParameter(part as Parameter, parameters.length + 1));
    pieces.push(`$${parameters.length}`);
  });
}

function fragmentOf(part: Part | undefined): Fragment | undefined {
  if (part instanceof Fragment) return part;
  return typeof part === 'object' && part !== null && asFragment in part
    ? part[asFragment]
    : undefined;
}

function quoteName(name: string): string {
  if (typeof name !== 'string' || name === '' || name.includes('\0')) {
    throw clientError('invalid_parameter_value', `not a name: ${JSON.stringify(name)}`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}
