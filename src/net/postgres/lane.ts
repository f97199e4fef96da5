/**
 * The usual exchange with a prepared statement: Bind to the unnamed portal, Describe of it or not, Execute of all
 * its rows and Sync, read where they lie. Whatever is not as usual, or wrong, is left to the way message by
 * message, which says what is wrong with it: nothing is taken then, and nothing has happened.
 */
import { DatabaseError } from '../../base/errors.js';
import type { ParameterValue } from '../../sql/session/protocol.js';
import type { FunctionContext } from '../../sql/types/index.js';
import { BindBody } from './bind-body.js';
import type { Flow } from './flow.js';
import { portalsMax } from './limits.js';
import { Portal } from './portal.js';
import type { Inbox } from './reader.js';
import type { WireStatement } from './statement.js';
import * as write from './writer.js';

const codes = { bind: 0x42, describe: 0x44, execute: 0x45, sync: 0x53, portal: 0x50 } as const;
/** Bytes of the messages that are always alike, with their codes. */
const describeBytes = 7;
const executeBytes = 10;
const syncBytes = 5;
/** Bytes from a message's code to its body. */
const headBytes = 5;
const none: readonly ParameterValue[] = [];
/** One is read at a time, and nothing of it is kept. */
const body = new BindBody();

/** Begins such an exchange if the next messages are one; the state of the flow must allow any message. */
export function takeExchange(inbox: Inbox, flow: Flow, frameBytes: number): boolean {
  const { bytes, start, end } = inbox;
  if (end - start < 2 * headBytes || bytes[start] !== codes.bind) return false;
  const bindEnd = start + 1 + uint32(bytes, start + 1);
  if (bindEnd - start > frameBytes) return false;
  const describes = bytes[bindEnd] === codes.describe;
  const executeAt = describes ? bindEnd + describeBytes : bindEnd;
  const exchangeEnd = executeAt + executeBytes + syncBytes;
  if (exchangeEnd > end) return false;
  if (describes && !isDescribe(bytes, bindEnd)) return false;
  if (!isExecute(bytes, executeAt) || !isSync(bytes, executeAt + executeBytes)) return false;
  body.begin(bytes, start + headBytes, bindEnd);
  const portal = readPortal(flow);
  if (portal === undefined) return false;
  inbox.skip(exchangeEnd - start);
  const { out, prepared } = flow;
  out.empty(write.codes.bindComplete);
  if (describes) out.raw(portal.statement.description(portal.formats));
  if (prepared.portals.size > 0) prepared.portals.delete('');
  portal.syncs = true;
  portal.begin(0);
  flow.run(portal);
  return true;
}

/** Of the unnamed portal. */
function isDescribe(bytes: Uint8Array, at: number): boolean {
  const isPortal = bytes[at + headBytes] === codes.portal && bytes[at + headBytes + 1] === 0;
  return uint32(bytes, at + 1) === describeBytes - 1 && isPortal;
}

/** Of the unnamed portal, without a limit. */
function isExecute(bytes: Uint8Array, at: number): boolean {
  const isWhole = bytes[at] === codes.execute && uint32(bytes, at + 1) === executeBytes - 1;
  return isWhole && bytes[at + headBytes] === 0 && uint32(bytes, at + headBytes + 1) === 0;
}

function isSync(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === codes.sync && uint32(bytes, at + 1) === syncBytes - 1;
}

/** The unnamed portal that the Bind makes. */
function readPortal({ prepared, context }: Flow): Portal | undefined {
  if (body.name() !== '' || prepared.portals.size >= portalsMax) return undefined;
  const name = body.name();
  const statement = name === undefined ? undefined : prepared.known(name);
  const values = statement && readParameters(statement, context);
  if (values === undefined) return undefined;
  const formats = body.resultFormats();
  if (formats === undefined || !body.isOver || !statement?.canWrite(formats)) return undefined;
  return new Portal('', statement, values, formats);
}

function readParameters(
  { parameterTypes: types, textReaders }: WireStatement,
  context: FunctionContext,
): readonly ParameterValue[] | undefined {
  if (!body.beginParameters(types.length)) return undefined;
  if (types.length === 0) return none;
  const values = new Array<ParameterValue>(types.length);
  for (let i = 0; i < types.length; i += 1) {
    let value = body.parameter(i, types[i] as string);
    if (typeof value === 'string') {
      try {
        value = textReaders[i]?.(value, context);
      } catch (error) {
        if (error instanceof DatabaseError) return undefined;
        throw error;
      }
    }
    if (value === undefined) return undefined;
    values[i] = value;
  }
  return values;
}

function uint32(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return high * 0x1_0000 + (((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0));
}
