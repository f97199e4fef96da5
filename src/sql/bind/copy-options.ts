/** COPY's options with PostgreSQL's checks (copy.c's ProcessCopyOptions). */
import { raise } from '../../base/errors.js';
import type { CopyFormat, CopyOptions } from '../copy/index.js';
import { as, type ast, fields, locationOf, notSupported, stringOf, the } from '../parse/index.js';
import type { BindContext } from './context.js';

type Draft = { -readonly [K in keyof CopyOptions]?: CopyOptions[K] } & { freeze?: boolean };

/** What each option is called in errors that say where it may not be. */
const none: ReadonlySet<string> = new Set();

export function bindCopyOptions(
  context: BindContext,
  nodes: readonly ast.Node[] | undefined,
  isFrom: boolean,
): CopyOptions {
  const draft: Draft = {};
  const seen = new Set<string>();
  for (const node of nodes ?? []) {
    const body = the(node, 'DefElem');
    const { defname = '', arg } = fields(context.source, 'DefElem', body, ['defname', 'arg']);
    const at = locationOf(body);
    if (seen.has(defname)) context.raise(at, 'syntax_error', 'conflicting or redundant options');
    seen.add(defname);
    takeOption(context, draft, { name: defname, arg, at });
  }
  return checked(draft, isFrom);
}

interface Option {
  readonly name: string;
  readonly arg: ast.Node | undefined;
  readonly at: number | undefined;
}

function takeOption(context: BindContext, draft: Draft, option: Option): void {
  const { name, at } = option;
  switch (name) {
    case 'format': {
      const format = textOf(option);
      if (format !== 'text' && format !== 'csv' && format !== 'binary') {
        const text = `COPY format "${format}" not recognized`;
        context.raise(at, 'invalid_parameter_value', text);
      }
      draft.format = format;
      return;
    }
    case 'freeze':
      // It asks for an early freezing of PostgreSQL's tuples; there is nothing of the kind here.
      draft.freeze = booleanOf(option);
      return;
    case 'delimiter':
    case 'null':
    case 'default':
    case 'quote':
    case 'escape':
      draft[name] = textOf(option);
      return;
    case 'header':
      draft.header = headerOf(option);
      return;
    case 'force_quote':
      draft.forceQuote = columnsOf(context, option);
      return;
    case 'force_not_null':
      draft.forceNotNull = columnsOf(context, option);
      return;
    case 'force_null':
      draft.forceNull = columnsOf(context, option);
      return;
    case 'encoding':
      checkEncoding(context, option);
      return;
    default:
      context.raise(at, 'syntax_error', `option "${name}" not recognized`);
  }
}

function textOf({ name, arg }: Option): string {
  const text = as(arg, 'String')?.sval ?? (as(arg, 'String') === undefined ? undefined : '');
  if (text !== undefined) return text;
  const whole = as(arg, 'Integer');
  if (whole !== undefined) return String(whole.ival ?? 0);
  const decimal = as(arg, 'Float')?.fval;
  if (decimal !== undefined) return decimal;
  const flag = as(arg, 'Boolean');
  if (flag !== undefined) return flag.boolval === true ? 'true' : 'false';
  return raise('syntax_error', `${name} requires a parameter`);
}

/** As PostgreSQL's defGetBoolean: an option alone is true. */
function booleanOf(option: Option): boolean {
  const { name, arg } = option;
  if (arg === undefined) return true;
  const text = textOf(option).toLowerCase();
  if (text === '1' || text === 'true' || text === 'on') return true;
  if (text === '0' || text === 'false' || text === 'off') return false;
  return raise('syntax_error', `${name} requires a Boolean value`);
}

function headerOf(option: Option): CopyOptions['header'] {
  const { name, arg } = option;
  if (arg === undefined) return 'present';
  const text = textOf(option).toLowerCase();
  if (text === 'match') return 'match';
  if (text === '1' || text === 'true' || text === 'on') return 'present';
  if (text === '0' || text === 'false' || text === 'off') return 'none';
  return raise('syntax_error', `${name} requires a Boolean value or "match"`);
}

function columnsOf(context: BindContext, { name, arg, at }: Option): 'all' | ReadonlySet<string> {
  if (as(arg, 'A_Star') !== undefined && name === 'force_quote') return 'all';
  const list = as(arg, 'List')?.items;
  if (list === undefined) {
    const text = `argument to option "${name}" must be a list of column names`;
    context.raise(at, 'invalid_parameter_value', text);
  }
  return new Set(list.map(stringOf));
}

/** Names of UTF-8, and SQL_ASCII, which leaves bytes as they are. */
const encodings: ReadonlySet<string> = new Set(['utf8', 'unicode', 'sqlascii']);

function checkEncoding(context: BindContext, option: Option): void {
  const name = textOf(option);
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  if (encodings.has(plain)) return;
  notSupported(context.source, `COPY with encoding "${name}"`, option.at);
}

/** Characters that mean something after a backslash. */
const textSpecials = '\\.abcdefghijklmnopqrstuvwxyz0123456789';

function checked(draft: Draft, isFrom: boolean): CopyOptions {
  const format = draft.format ?? 'text';
  if (format === 'binary') checkBinary(draft);
  const isCsv = format === 'csv';
  const delimiter = draft.delimiter ?? (isCsv ? ',' : '\t');
  const nullText = draft.null ?? (isCsv ? '' : '\\N');
  const quote = draft.quote ?? '"';
  const options: CopyOptions = {
    format,
    delimiter,
    null: nullText,
    default: draft.default,
    header: draft.header ?? 'none',
    quote,
    escape: draft.escape ?? quote,
    forceQuote: draft.forceQuote ?? none,
    forceNotNull: draft.forceNotNull ?? none,
    forceNull: draft.forceNull ?? none,
  };
  checkCharacters(options);
  if (!isCsv && draft.quote !== undefined) csvOnly('quote');
  if (isCsv) checkQuote(options);
  if (!isCsv && draft.escape !== undefined) csvOnly('escape');
  if (isCsv && !isOneByte(options.escape)) {
    raise('feature_not_supported', 'COPY escape must be a single one-byte character');
  }
  checkForced(draft, format, isFrom);
  checkNull(options, isFrom);
  return options;
}

function checkBinary(draft: Draft): void {
  for (const name of ['delimiter', 'null', 'default'] as const) {
    if (draft[name] === undefined) continue;
    raise('syntax_error', `cannot specify ${name.toUpperCase()} in BINARY mode`);
  }
  if ((draft.header ?? 'none') !== 'none') {
    raise('feature_not_supported', 'cannot specify HEADER in BINARY mode');
  }
}

function isOneByte(text: string): boolean {
  return Buffer.byteLength(text) === 1;
}

function hasLineEnd(text: string): boolean {
  return text.includes('\n') || text.includes('\r');
}

function checkCharacters({ delimiter, format, null: nullText, default: given }: CopyOptions): void {
  if (!isOneByte(delimiter)) {
    raise('feature_not_supported', 'COPY delimiter must be a single one-byte character');
  }
  if (hasLineEnd(delimiter)) {
    raise('invalid_parameter_value', 'COPY delimiter cannot be newline or carriage return');
  }
  if (hasLineEnd(nullText)) {
    const text = 'COPY null representation cannot use newline or carriage return';
    raise('invalid_parameter_value', text);
  }
  if (given !== undefined && hasLineEnd(given)) {
    const text = 'COPY default representation cannot use newline or carriage return';
    raise('invalid_parameter_value', text);
  }
  if (format !== 'csv' && textSpecials.includes(delimiter)) {
    raise('invalid_parameter_value', `COPY delimiter cannot be "${delimiter}"`);
  }
}

function csvOnly(what: string): never {
  raise('feature_not_supported', `COPY ${what} available only in CSV mode`);
}

function checkQuote({ quote, delimiter }: CopyOptions): void {
  if (!isOneByte(quote)) {
    raise('feature_not_supported', 'COPY quote must be a single one-byte character');
  }
  if (quote === delimiter) {
    raise('invalid_parameter_value', 'COPY delimiter and quote must be different');
  }
}

function checkForced(draft: Draft, format: CopyFormat, isFrom: boolean): void {
  const check = (given: unknown, what: string, ofFrom: boolean): void => {
    if (given === undefined) return;
    if (format !== 'csv') csvOnly(what);
    if (ofFrom === isFrom) return;
    const direction = ofFrom ? 'FROM' : 'TO';
    raise('feature_not_supported', `COPY ${what} only available using COPY ${direction}`);
  };
  check(draft.forceQuote, 'force quote', false);
  check(draft.forceNotNull, 'force not null', true);
  check(draft.forceNull, 'force null', true);
}

function checkNull(options: CopyOptions, isFrom: boolean): void {
  const { delimiter, format, quote, null: nullText, default: given } = options;
  if (nullText.includes(delimiter)) {
    raise('feature_not_supported', 'COPY delimiter must not appear in the NULL specification');
  }
  if (format === 'csv' && nullText.includes(quote)) {
    const text = 'CSV quote character must not appear in the NULL specification';
    raise('feature_not_supported', text);
  }
  if (given === undefined) return;
  if (!isFrom) raise('feature_not_supported', 'COPY DEFAULT only available using COPY FROM');
  if (given.includes(delimiter)) {
    raise('feature_not_supported', 'COPY delimiter must not appear in the DEFAULT specification');
  }
  if (format === 'csv' && given.includes(quote)) {
    const text = 'CSV quote character must not appear in the DEFAULT specification';
    raise('feature_not_supported', text);
  }
  if (given === nullText) {
    const text = 'NULL specification and DEFAULT specification cannot be the same';
    raise('feature_not_supported', text);
  }
}
