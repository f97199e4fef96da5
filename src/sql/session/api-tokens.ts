/** shardforge.create_api_token and drop_api_token, in the transaction of their statement. */
import { must } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import {
  type ApiToken,
  putToken,
  removeToken,
  tokenBytes,
  tokenHash,
  tokenNamed,
  tokenPrefix,
} from '../accounts/index.js';
import type { Principal } from '../catalogue/index.js';
import { audited } from '../ddl/index.js';
import { timestamptzPlus } from '../functions/datetime-arithmetic.js';
import {
  Interval,
  timestampOfUnixMs,
  typeNamed,
  unixMsOfTimestamp,
  type Value,
} from '../types/index.js';
import { parseInterval } from '../types/interval-input.js';
import type { Run } from './run.js';
import type { SessionState } from './state.js';
import type { Transaction } from './transaction.js';

/** Characters of a name. */
const nameLengthMax = 128;

interface Called {
  readonly value: Value;
  /** For the log, once it is committed. */
  readonly change: string;
}

type Call = (run: Run, transaction: Transaction, args: readonly Value[]) => Called;

/** By the function's name: what it does, and gives. */
export const tokenCalls: Readonly<Record<string, Call>> = {
  create_api_token: create,
  drop_api_token: drop,
};

/** Calls a function of tokens; all that it did is taken back when it fails. */
export function callInTransaction(
  run: Run,
  transaction: Transaction,
  { name, args }: { readonly name: string; readonly args: readonly Value[] },
): Called {
  if (transaction.readOnly) {
    const text = `cannot execute ${name}() in a read-only transaction`;
    raise('read_only_sql_transaction', text);
  }
  const act = must(tokenCalls[name], 'a function of tokens');
  transaction.beginExecution();
  let called: Called | undefined;
  let failure: unknown;
  try {
    called = act(run, transaction, args);
    const { functions } = run.state;
    audited({ bind: { functions }, execution: transaction }, called.change);
  } catch (error) {
    failure = error;
  }
  transaction.endExecution(failure);
  return must(called, 'a call without an error has a value');
}

function create({ state }: Run, transaction: Transaction, args: readonly Value[]): Called {
  const [given = null, validFor = null, roleName = null] = args;
  const usage = 'create_api_token takes a name, and perhaps an interval and the name of a role';
  if (args.length < 1 || args.length > 3) raise('invalid_parameter_value', usage);
  const name = nameOf(given, usage);
  const principal = principalOf(state, transaction);
  const role = roleName === null ? principal.role : otherRole(transaction, principal, roleName);
  const { buffer, catalogue } = transaction;
  const before = tokenNamed(buffer, name);
  if (before !== undefined && catalogue.objectIfThere(before.role) !== undefined) {
    raise('duplicate_object', `API token "${name}" already exists`);
  }
  if (before !== undefined) removeToken(buffer, before);
  const secret = state.place.secretBytes?.(tokenBytes);
  if (secret === undefined) raise('feature_not_supported', 'this node makes no API tokens');
  const token = tokenPrefix + Buffer.from(secret).toString('base64url');
  const createdMs = state.turn.wallMs;
  const validUntilMs = validFor === null ? undefined : endOf(state, createdMs, validFor);
  putToken(buffer, { name, hash: tokenHash(token), role, createdMs, validUntilMs });
  const change = `CREATE API TOKEN ${name} FOR ${catalogue.object(role).name}`;
  return { value: token, change };
}

function drop({ state }: Run, transaction: Transaction, args: readonly Value[]): Called {
  const usage = 'drop_api_token takes the name of a token';
  if (args.length !== 1) raise('invalid_parameter_value', usage);
  const name = nameOf(args[0] ?? null, usage);
  const token = tokenNamed(transaction.buffer, name);
  const principal = principalOf(state, transaction);
  if (token === undefined || !mayDrop(principal, token)) {
    raise('undefined_object', `API token "${name}" does not exist`);
  }
  removeToken(transaction.buffer, token);
  const value = typeNamed('jsonb').parse('true', -1, state.functions);
  return { value, change: `DROP API TOKEN ${name}` };
}

/** Of others' tokens nobody learns the names. */
function mayDrop({ isSuperuser, role }: Principal, token: ApiToken): boolean {
  return isSuperuser || role === token.role;
}

function principalOf(state: SessionState, transaction: Transaction): Principal {
  return state.lookupOf(transaction).principal;
}

function nameOf(value: Value, usage: string): string {
  if (typeof value !== 'string' || value === '' || value.length > nameLengthMax) {
    raise('invalid_parameter_value', usage, {
      detail: `A name has 1 to ${nameLengthMax} characters.`,
    });
  }
  return value;
}

function otherRole({ catalogue }: Transaction, principal: Principal, name: Value): ObjectId {
  const role = typeof name === 'string' ? catalogue.role(name) : undefined;
  if (principal.isSuperuser && role === undefined) {
    raise('undefined_object', `role "${String(name)}" does not exist`);
  }
  if (role === undefined || (!principal.isSuperuser && role.object !== principal.role)) {
    raise('insufficient_privilege', 'permission denied to create API tokens of other roles', {
      detail: 'Only superusers may do so.',
    });
  }
  return role.object;
}

/** Milliseconds since 1970. */
function endOf({ functions }: SessionState, fromMs: number, validFor: Value): number {
  const interval = typeof validFor === 'string' ? parseInterval(validFor) : validFor;
  if (!(interval instanceof Interval)) {
    return raise('invalid_parameter_value', 'a token is valid for an interval');
  }
  const start = timestampOfUnixMs(Math.round(fromMs));
  const end = timestamptzPlus(functions, start, interval);
  if (end <= start) raise('invalid_parameter_value', 'a token is valid for more than no time');
  return unixMsOfTimestamp(end);
}
