/** Functions that read and change settings, and sizes in bytes as people write them. */
import { raise } from '../../base/errors.js';
import { ArrayValue, type FunctionContext, Numeric } from '../types/index.js';
import * as decimal from '../types/numeric.js';
import { parseNumeric } from '../types/numeric-type.js';
import type { Definition } from './definition.js';
import { define } from './definition.js';

function currentSetting(
  { setting }: FunctionContext,
  name: string,
  missingOk = false,
): string | null {
  const value = setting(name.toLowerCase());
  if (value !== undefined) return value;
  if (missingOk) return null;
  return raise('undefined_object', `unrecognized configuration parameter "${name}"`);
}

function setConfig(
  { changeSetting }: FunctionContext,
  name: string | null,
  value: string | null,
  local: boolean | null,
): string {
  if (name === null) raise('null_value_not_allowed', 'SET requires parameter name');
  if (changeSetting === undefined) {
    raise('feature_not_supported', 'set_config() is only supported in a session');
  }
  return changeSetting(name, value ?? undefined, local === true);
}

/** Schemas of the search path; `implicit` says whether that which is always there is among them. */
function currentSchemas({ schemas = [] }: FunctionContext, implicit: boolean): ArrayValue {
  const isNamed = schemas.includes('pg_catalog');
  return ArrayValue.of(implicit && !isNamed ? ['pg_catalog', ...schemas] : schemas);
}

const units = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** A size in the unit in which it has up to five digits, halves away from zero. */
function prettySize(size: Numeric): string {
  if (!size.isFinite) return `${size.toString()} bytes`;
  const whole = decimal.signOf(size) < 0 ? -1n : 1n;
  let rest = decimal.truncateNumeric(size, 0).digits;
  for (const [i, unit] of units.entries()) {
    const limit = i === 0 ? 10n * 1024n : 20n * 1024n - 1n;
    const isLast = i === units.length - 1;
    if (i === 0 && decimal.abs(rest) < limit) return `${size.toString()} ${unit}`;
    if (i > 0 && (isLast || decimal.abs(rest) < limit)) return `${(rest + whole) / 2n} ${unit}`;
    // From the kilobytes on twice the amount is kept, so that the half can be rounded.
    rest /= i === 0 ? 512n : 1024n;
  }
  return '';
}

const sizePattern = /^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(.*?)\s*$/is;

function sizeInBytes(text: string): bigint {
  const found = sizePattern.exec(text);
  if (found === null) raise('invalid_parameter_value', `invalid size: "${text}"`);
  const [, amount = '', unit = ''] = found;
  const names = ['bytes', 'kb', 'mb', 'gb', 'tb', 'pb'];
  const power = unit === '' ? 0 : names.indexOf(unit.toLowerCase());
  if (power < 0) {
    raise('invalid_parameter_value', `invalid size: "${text}"`, {
      detail: `Invalid size unit: "${unit}".`,
      hint: 'Valid units are "bytes", "kB", "MB", "GB", "TB", and "PB".',
    });
  }
  const factor = new Numeric(1024n ** BigInt(power), 0);
  const bytes = decimal.roundNumeric(decimal.multiplyNumeric(parseNumeric(amount), factor), 0);
  if (BigInt.asIntN(64, bytes.digits) !== bytes.digits) {
    raise('numeric_value_out_of_range', 'bigint out of range');
  }
  return bytes.digits;
}

const stable = { volatility: 'stable', usesContext: true } as const;

export const settingFunctions: readonly Definition[] = [
  define('current_setting(text): text', currentSetting, stable),
  define('current_setting(text, bool): text', currentSetting, stable),
  define('set_config(text, text, bool): text', setConfig, {
    strict: false,
    volatility: 'volatile',
    usesContext: true,
  }),
  define('current_schemas(bool): _name', currentSchemas, stable),
  define('pg_size_pretty(int8): text', (size: bigint) => prettySize(new Numeric(size, 0))),
  define('pg_size_pretty(numeric): text', prettySize),
  define('pg_size_bytes(text): int8', sizeInBytes),
];
