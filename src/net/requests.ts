/**
 * The gate for frames from clients: text to a checked {@link RequestFrame}, or what is wrong with it.
 * Never throws, whatever the text is.
 */
import type { FrameParameter, RequestFrame } from './protocol.js';

/** A frame that is refused; `id` is null when it could not be read. */
export interface BadFrame {
  readonly op: 'bad';
  readonly id: number | null;
  readonly message: string;
}

type Fields = Readonly<Record<string, unknown>>;
/** What is wrong with the fields of an operation; undefined when nothing is. */
type Check = (fields: Fields) => string | undefined;

const creditMax = 2 ** 31 - 1;

/** Reads one frame. */
export function readRequest(text: string): RequestFrame | BadFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { op: 'bad', id: null, message: 'the frame is not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { op: 'bad', id: null, message: 'the frame is not a JSON object' };
  }
  const fields = value as Fields;
  const { id, op } = fields;
  if (typeof id !== 'number' || !Number.isSafeInteger(id) || id < 1) {
    return { op: 'bad', id: null, message: 'id must be a whole number from 1 to 2^53 - 1' };
  }
  const kind = typeof op === 'string' ? kinds.get(op) : undefined;
  if (kind === undefined) {
    return { op: 'bad', id, message: `op must be one of ${[...kinds.keys()].join(', ')}` };
  }
  for (const name in fields) {
    if (!kind.fields.has(name)) {
      const shown = JSON.stringify(name.slice(0, 100));
      return { op: 'bad', id, message: `unknown field ${shown} in ${op}` };
    }
  }
  const message = kind.check(fields);
  return message === undefined ? (value as RequestFrame) : { op: 'bad', id, message };
}

function kind(check: Check, ...fields: readonly string[]): { fields: Set<string>; check: Check } {
  return { fields: new Set(['op', 'id', ...fields]), check };
}

const nothing: Check = () => undefined;
const kinds = new Map([
  ['execute', kind(checkExecute, 'sql', 'prepared', 'params', 'paramTypes', 'credit')],
  ['prepare', kind(checkPrepare, 'name', 'sql')],
  ['close', kind(checkName, 'name')],
  ['credit', kind(checkCredit, 'credit')],
  ['cancel', kind(nothing)],
  ['copyData', kind(checkCopyData, 'text', 'base64')],
  ['copyEnd', kind(checkCopyEnd, 'failure')],
  ['ping', kind(nothing)],
]);

function checkExecute(fields: Fields): string | undefined {
  const { sql, prepared, params, paramTypes, credit } = fields;
  if ((sql === undefined) === (prepared === undefined)) {
    return 'execute takes exactly one of sql and prepared';
  }
  if (sql !== undefined && typeof sql !== 'string') return 'sql must be a string';
  if (prepared !== undefined && typeof prepared !== 'string') return 'prepared must be a string';
  if (params !== undefined && !isParameters(params)) {
    return 'params must be an array of null, booleans, numbers and strings';
  }
  if (paramTypes !== undefined && (prepared !== undefined || !isTypeNames(paramTypes))) {
    return 'paramTypes must be an array of strings and nulls, and comes with sql only';
  }
  return credit === undefined ? undefined : checkCredit(fields);
}

function checkPrepare(fields: Fields): string | undefined {
  return typeof fields.sql === 'string' ? checkName(fields) : 'sql must be a string';
}

function checkName(fields: Fields): string | undefined {
  return typeof fields.name === 'string' ? undefined : 'name must be a string';
}

function checkCredit({ credit }: Fields): string | undefined {
  const valid =
    typeof credit === 'number' && Number.isInteger(credit) && credit >= 1 && credit <= creditMax;
  return valid ? undefined : 'credit must be a whole number from 1 to 2^31 - 1';
}

function checkCopyData({ text, base64 }: Fields): string | undefined {
  if ((text === undefined) === (base64 === undefined)) {
    return 'copyData takes exactly one of text and base64';
  }
  if (text !== undefined && typeof text !== 'string') return 'text must be a string';
  if (base64 === undefined) return undefined;
  const valid = typeof base64 === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(base64);
  return valid ? undefined : 'base64 must be a string of base64';
}

function checkCopyEnd({ failure }: Fields): string | undefined {
  return failure === undefined || typeof failure === 'string'
    ? undefined
    : 'failure must be a string';
}

function isParameters(value: unknown): value is readonly FrameParameter[] {
  if (!Array.isArray(value)) return false;
  for (const item of value) if (typeof item === 'object' && item !== null) return false;
  return true;
}

function isTypeNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => item === null || typeof item === 'string');
}
