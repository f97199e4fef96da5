/**
 * The messages by which sessions learn of all sessions of the cluster, and end what others do. A session asks the
 * actor `activity` of its own place; that one asks those of the other nodes.
 */
import type { Codec, Message, MessageType, Ref } from '../../actors/actor.js';
import { DatabaseError } from '../../base/errors.js';
import type { NodeId } from '../../base/ids.js';
import type { SessionReport } from '../system/index.js';

/** Asks what the sessions do. Answered by `sql.gathered`. */
export interface GatherMessage extends Message {
  readonly kind: 'sql.gather';
  /** Comes back with the answer. */
  readonly call: number;
  /** Of all nodes that can be reached, or of the asked one only. */
  readonly reach: 'cluster' | 'node';
  readonly replyTo: Ref<GatheredMessage>;
}

export interface GatheredMessage extends Message {
  readonly kind: 'sql.gathered';
  readonly call: number;
  /** Who answers. */
  readonly node: NodeId;
  readonly sessions: readonly SessionReport[];
  /** Nodes that have not answered in time. */
  readonly missing: readonly number[];
}

/** Ends what a session serves, or the session. Answered by `sql.signalled`. */
export interface SignalMessage extends Message {
  readonly kind: 'sql.signal';
  readonly call: number;
  readonly pid: number;
  readonly what: 'cancel' | 'terminate';
  /** Only this request of it; 0: whatever it serves. */
  readonly request: number;
  /** So long it is waited for that the session is gone, at most; 0: not at all. */
  readonly waitMs: number;
  readonly replyTo: Ref<SignalledMessage>;
}

export interface SignalledMessage extends Message {
  readonly kind: 'sql.signalled';
  readonly call: number;
  /** `absent`: there is no such session; `lasting`: it is still there; `silent`: its node does not answer. */
  readonly outcome: 'done' | 'absent' | 'lasting' | 'silent';
}

/** From the node: there are links to these other nodes, and to no more. */
export interface PeersMessage extends Message {
  readonly kind: 'sql.peers';
  readonly nodes: readonly NodeId[];
}

type Fields = Readonly<Record<string, unknown>>;

/** JSON, whose fields are checked when it arrives from another node. */
function peerType<M extends Message>(
  kind: M['kind'],
  flow: MessageType['flow'],
  fits: (fields: Fields) => boolean,
): MessageType {
  const codec: Codec<M> = {
    encode: ({ kind: _, ...fields }) => Buffer.from(JSON.stringify(fields), 'utf8'),
    decode: (bytes) => {
      const fields = readJson(bytes);
      if (fields === undefined || !fits(fields)) {
        throw new DatabaseError('protocol_violation', `a message ${kind} that does not fit`);
      }
      return { kind, ...fields } as unknown as M;
    },
  };
  return { kind, priority: 'normal', flow, codec: codec as never };
}

function readJson(bytes: Uint8Array): Fields | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

const isNumber = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0;

function isRef(value: unknown): boolean {
  const { node, place, name } = (value ?? {}) as Fields;
  return isNumber(node) && isNumber(place) && typeof name === 'string';
}

const texts = ['database', 'user', 'applicationName', 'state', 'query'] as const;
const numbers = ['pid', 'node', 'startMs', 'stateMs'] as const;
const maybeTexts = ['address', 'waitType', 'wait', 'queryId'] as const;
const maybeNumbers = ['transactionMs', 'queryMs'] as const;

function isReport(value: unknown): value is SessionReport {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Fields;
  return (
    texts.every((name) => typeof fields[name] === 'string') &&
    numbers.every((name) => typeof fields[name] === 'number') &&
    maybeTexts.every((name) => fields[name] === null || typeof fields[name] === 'string') &&
    maybeNumbers.every((name) => fields[name] === null || typeof fields[name] === 'number')
  );
}

const isOf =
  (...words: readonly string[]) =>
  (value: unknown): boolean =>
    typeof value === 'string' && words.includes(value);

/** What the actor takes, from its place and from other nodes. */
export const activityMessages: readonly MessageType[] = [
  peerType<GatherMessage>(
    'sql.gather',
    'work',
    ({ call, reach, replyTo }) =>
      isNumber(call) && isOf('cluster', 'node')(reach) && isRef(replyTo),
  ),
  peerType<SignalMessage>(
    'sql.signal',
    'work',
    ({ call, pid, what, request, waitMs, replyTo }) =>
      [call, pid, request, waitMs].every(isNumber) &&
      isOf('cancel', 'terminate')(what) &&
      isRef(replyTo),
  ),
];

/** What comes of it. */
export const activityAnswers: readonly MessageType[] = [
  peerType<GatheredMessage>(
    'sql.gathered',
    'reply',
    ({ call, node, sessions, missing }) =>
      [call, node].every(isNumber) &&
      Array.isArray(sessions) &&
      sessions.every(isReport) &&
      Array.isArray(missing) &&
      missing.every(isNumber),
  ),
  peerType<SignalledMessage>(
    'sql.signalled',
    'reply',
    ({ call, outcome }) => isNumber(call) && isOf('done', 'absent', 'lasting', 'silent')(outcome),
  ),
];
