/** Texts made from values of any type: concat(), format(), quoting, and || with other types. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { FunctionContext, TypeName, Value } from '../types/index.js';
import { typeNamed } from '../types/index.js';
import { characterCount } from '../types/text.js';
import { castPath } from './casts.js';
import type { Definition } from './definition.js';
import { define, specialised } from './definition.js';
import { reservedWords } from './reserved-words.js';
import { boundLength } from './text.js';

type Printer = (context: FunctionContext, value: Value) => string;

/** A type's output text. */
function printer(name: TypeName): Printer {
  const type = typeNamed(name);
  return (context, value) => type.print(value, context);
}

/** The text that a cast gives, which for bool differs from its output. */
function castToText(name: TypeName): Printer {
  const cast = castPath(name === 'unknown' ? 'text' : name, 'text', 'explicit');
  const implementation = must(cast, `${name} has no text`).implementation;
  if (implementation === undefined) return (_, value) => value as string;
  return cast?.usesContext === true
    ? (context, value) => implementation(context, value) as string
    : (_, value) => implementation(value) as string;
}

const fromAny = { strict: false, volatility: 'stable', usesContext: true } as const;
const converting = { volatility: 'stable', usesContext: true } as const;

function concatenation(types: readonly TypeName[]) {
  const printers = types.map(printer);
  return (context: FunctionContext, ...values: Value[]) => {
    let result = '';
    for (const [i, value] of values.entries()) {
      if (value !== null) result += printers[i]?.(context, value) ?? '';
    }
    return result;
  };
}

function joining(types: readonly TypeName[]) {
  const printers = types.map(printer);
  return (context: FunctionContext, separator: string | null, ...values: Value[]) => {
    if (separator === null) return null;
    const parts: string[] = [];
    for (const [i, value] of values.entries()) {
      if (value !== null) parts.push(printers[i + 1]?.(context, value) ?? '');
    }
    return parts.join(separator);
  };
}

const bareName = /^[a-z_][a-z0-9_]*$/;

/** The name as SQL reads it, quoted where that is needed. */
export function quoteIdentifier(name: string): string {
  if (bareName.test(name) && !reservedWords.has(name)) return name;
  return `"${name.replaceAll('"', '""')}"`;
}

/** The text in quotes, as SQL reads it with standard_conforming_strings. */
export function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The same for every reader, whatever its setting: as quote_literal() gives it. */
export function quoteLiteral(text: string): string {
  return text.includes('\\') ? `E${quotedText(text.replaceAll('\\', '\\\\'))}` : quotedText(text);
}

const directive = /%(?:(\d+)\$)?(-?)(?:(\d+)|\*(?:(\d+)\$)?)?(.)?|%/gsu;

/** format(): %s, %I, %L with positions, widths and flags (text_format()). */
function formatting(types: readonly TypeName[]) {
  const printers = types.slice(1).map(printer);
  return (context: FunctionContext, pattern: string | null, ...values: Value[]) => {
    if (pattern === null) return null;
    let next = 0;
    const take = (position: string | undefined): number => {
      if (position === '0') {
        raise(
          'invalid_parameter_value',
          'format specifies argument 0, but arguments are numbered from 1',
        );
      }
      next = position === undefined ? next + 1 : Number(position);
      if (next > values.length) raise('invalid_parameter_value', 'too few arguments for format()');
      return next - 1;
    };
    return pattern.replace(directive, (...match: (string | undefined)[]) => {
      const [whole, position, flag, width, widthPosition, kind] = match;
      if (kind === undefined) {
        raise('invalid_parameter_value', 'unterminated format() type specifier', {
          hint: 'For a single "%" use "%%".',
        });
      }
      if (whole === '%%') return '%';
      const indirect = whole?.includes('*') === true;
      const wide = indirect ? Number(values[take(widthPosition)] ?? 0) : Number(width ?? 0);
      boundLength(Math.abs(wide));
      const at = take(position);
      const text = formatted(
        kind,
        values[at] ?? null,
        (value) => printers[at]?.(context, value) ?? '',
      );
      const missing = ' '.repeat(Math.max(Math.abs(wide) - characterCount(text), 0));
      return flag === '-' || wide < 0 ? text + missing : missing + text;
    });
  };
}

function formatted(kind: string, value: Value, print: (value: Value) => string): string {
  switch (kind) {
    case 's':
      return value === null ? '' : print(value);
    case 'I':
      if (value === null) {
        raise('null_value_not_allowed', 'null values cannot be formatted as an SQL identifier');
      }
      return quoteIdentifier(print(value));
    case 'L':
      return value === null ? 'NULL' : quoteLiteral(print(value));
    default:
      raise('invalid_parameter_value', `unrecognized format() type specifier "${kind}"`, {
        hint: 'For a single "%" use "%%".',
      });
  }
}

function quoting([name = 'text']: readonly TypeName[]) {
  const toText = castToText(name);
  return (context: FunctionContext, value: Value) => quoteLiteral(toText(context, value));
}

function quotingNullable([name = 'text']: readonly TypeName[]) {
  const toText = castToText(name);
  return (context: FunctionContext, value: Value) =>
    value === null ? 'NULL' : quoteLiteral(toText(context, value));
}

function appended([, name = 'text']: readonly TypeName[]) {
  const toText = castToText(name);
  return (context: FunctionContext, text: string, value: Value) => text + toText(context, value);
}

function prepended([name = 'text']: readonly TypeName[]) {
  const toText = castToText(name);
  return (context: FunctionContext, value: Value, text: string) => toText(context, value) + text;
}

const countNulls = (...values: Value[]) => values.filter((value) => value === null).length;

export const textFormatFunctions: readonly Definition[] = [
  specialised('text || anynonarray: text', appended, converting),
  specialised('anynonarray || text: text', prepended, converting),
  specialised('concat(variadic any): text', concatenation, fromAny),
  specialised('concat_ws(text, variadic any): text', joining, fromAny),
  specialised('format(text): text', formatting, fromAny),
  specialised('format(text, variadic any): text', formatting, fromAny),
  define('quote_ident(text): text', quoteIdentifier),
  define('quote_literal(text): text', quoteLiteral),
  specialised('quote_literal(anyelement): text', quoting, converting),
  define(
    'quote_nullable(text): text',
    (text: string | null) => (text === null ? 'NULL' : quoteLiteral(text)),
    { strict: false },
  ),
  specialised('quote_nullable(anyelement): text', quotingNullable, fromAny),
  define('num_nulls(variadic any): int4', countNulls, { strict: false }),
  define(
    'num_nonnulls(variadic any): int4',
    (...values: Value[]) => values.length - countNulls(...values),
    { strict: false },
  ),
];
