/** The messages between cluster actors as JSON; they are few and small, and checked when they arrive. */
import type { Codec, Message, MessageType, Priority } from '../actors/actor.js';
import { raise } from '../base/errors.js';
import type { Timestamp } from '../base/ids.js';
import type { AdminValue, ErrorFields } from '../sql/session/protocol.js';
import { type Fields, fieldsOf } from './fields.js';
import { readFormation, roles } from './formation.js';
import type {
  AdmitMessage,
  AskMessage,
  BeatMessage,
  CommandMessage,
  FormMessage,
  HelloMessage,
  OutcomeMessage,
  RefuseMessage,
  ToldMessage,
} from './protocol.js';

/** A type whose codec writes all fields as JSON and reads them by `read`. */
function peerType<M extends Message>(
  kind: M['kind'],
  priority: Priority,
  read: (fields: Fields) => Omit<M, 'kind'>,
): MessageType {
  const codec: Codec<M> = {
    encode: ({ kind: _, ...fields }) => Buffer.from(JSON.stringify(fields), 'utf8'),
    decode: (bytes) => ({ kind, ...read(fieldsOf(bytes, kind)) }) as unknown as M,
  };
  // What is lost is sent again, by one side or the other or by the link.
  return { kind, priority, flow: 'droppable', codec: codec as never };
}

const cluster = (fields: Fields): { readonly clusterId: string } => ({
  clusterId: fields.uuid('clusterId'),
});
const sender = (fields: Fields): Pick<BeatMessage, 'from' | 'clusterId'> => ({
  from: fields.node('from'),
  ...cluster(fields),
});

function readHello(fields: Fields): Omit<HelloMessage, 'kind'> {
  return {
    from: fields.node('from'),
    instance: fields.uuid('instance'),
    address: fields.text('address'),
    http: fields.text('http'),
    role: fields.oneOf('role', roles),
    clusterId: fields.has('clusterId') ? fields.uuid('clusterId') : undefined,
    seeds: fields.texts('seeds'),
    joins: fields.flag('joins'),
    asks: fields.flag('asks'),
    version: fields.text('version'),
  };
}

function readOutcome(fields: Fields): Omit<OutcomeMessage, 'kind'> {
  return {
    ...cluster(fields),
    token: fields.number('token'),
    ...(fields.has('value') ? { value: fields.json('value') } : {}),
    ...(fields.has('error') ? { error: readError(fields.object('error')) } : {}),
    ...(fields.has('again') ? { again: fields.flag('again') } : {}),
  };
}

function readError(fields: Fields): ErrorFields {
  const kind = fields.text('kind');
  if (!/^[a-z_]+$/.test(kind)) raise('protocol_violation', 'an error without a name');
  return { kind: kind as ErrorFields['kind'], message: fields.text('message'), details: {} };
}

/**
 * Kinds that a link shall send again when it breaks: what an operator asked, asked once and answered
 * once. The actor repeats all others by itself.
 */
export const reliableMessages: readonly string[] = [
  'cluster.command',
  'cluster.outcome',
  'cluster.ask',
  'cluster.told',
];

/** The messages between nodes. */
export const peerMessages: readonly MessageType[] = [
  peerType<HelloMessage>('cluster.hello', 'high', readHello),
  peerType<AdmitMessage>('cluster.admit', 'high', (fields) => ({
    ...cluster(fields),
    hello: { kind: 'cluster.hello', ...readHello(fields.object('hello')) },
  })),
  peerType<FormMessage>('cluster.form', 'high', (fields) => ({
    from: fields.node('from'),
    instance: fields.uuid('instance'),
    formation: readFormation(fields.object('formation')),
  })),
  peerType<RefuseMessage>('cluster.refuse', 'high', (fields) => ({
    ...sender(fields),
    instance: fields.uuid('instance'),
    reason: fields.text('reason'),
  })),
  peerType<BeatMessage>('cluster.beat', 'critical', (fields) => ({
    ...sender(fields),
    hears: fields.nodes('hears'),
  })),
  peerType<CommandMessage>('cluster.command', 'normal', (fields) => ({
    ...sender(fields),
    token: fields.number('token'),
    name: fields.text('name'),
    arguments: fields.list('arguments') as readonly AdminValue[],
  })),
  peerType<OutcomeMessage>('cluster.outcome', 'normal', readOutcome),
  peerType<AskMessage>('cluster.ask', 'normal', (fields) => ({
    ...sender(fields),
    token: fields.number('token'),
    about: fields.oneOf('about', ['status', 'hash']),
    at: fields.has('at') ? (fields.number('at') as Timestamp) : undefined,
    start: fields.hex('start'),
    end: fields.has('end') ? fields.hex('end') : undefined,
  })),
  peerType<ToldMessage>('cluster.told', 'normal', (fields) => ({
    ...sender(fields),
    token: fields.number('token'),
    report: fields.json('report'),
  })),
];
