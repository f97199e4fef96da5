/**
 * What is done to advisory locks by way of the log, and its bytes. Locks belong to sessions, sessions to the *life*
 * of their node: a number that no other node and no other start of it has. When a life ends, so do all of its locks.
 */
import { unreachable } from '../base/assert.js';
import type { ByteReader, ByteWriter } from '../base/bytes.js';
import { raise } from '../base/errors.js';
import type { NodeId, TransactionId } from '../base/ids.js';

/** A transaction id that the node took when its first session wanted a lock. */
export type LifeId = TransactionId;

export type AdvisoryMode = 'shared' | 'exclusive';

/** As pg_locks shows it. */
export interface AdvisoryName {
  /** Its OID. */
  readonly database: number;
  /** 32 bits without sign, as `objectId`. */
  readonly classId: number;
  readonly objectId: number;
  /** Made of two int4, not of one bigint. */
  readonly isPair: boolean;
}

export interface AdvisoryOwner {
  readonly life: LifeId;
  /** A number of the session within the life, never given twice. */
  readonly session: number;
}

/** What a session asks for; of its requests the later one has the higher number. */
export interface AdvisoryRequest {
  readonly owner: AdvisoryOwner;
  readonly request: number;
  readonly name: AdvisoryName;
  readonly mode: AdvisoryMode;
}

export type AdvisoryOperation =
  /** The life begins. Other lives of the node have ended. */
  | { readonly op: 'begin'; readonly life: LifeId; readonly node: NodeId }
  /** The life has ended: nobody acts in its name any more. */
  | { readonly op: 'end'; readonly life: LifeId }
  | ({
      readonly op: 'acquire';
      /** Shown in pg_locks and with deadlocks. */
      readonly pid: number;
      /** Otherwise it is refused when it cannot be granted at once. */
      readonly waits: boolean;
    } & AdvisoryRequest)
  /** Gives up what this request or one before it has got, or waits for. */
  | ({ readonly op: 'release' } & AdvisoryRequest)
  /** The session has ended. */
  | { readonly op: 'leave'; readonly owner: AdvisoryOwner };

const codes = { begin: 1, end: 2, acquire: 3, release: 4, leave: 5 } as const;
/** Bits of a request. */
const flags = { pair: 1, exclusive: 2, waits: 4 } as const;

/** About what an operation takes in an entry. */
export const operationBytes = 48;

export function writeOperations(
  writer: ByteWriter,
  operations: readonly AdvisoryOperation[],
): void {
  writer.uint32(operations.length);
  for (const operation of operations) writeOperation(writer, operation);
}

function writeOperation(writer: ByteWriter, operation: AdvisoryOperation): void {
  writer.uint8(codes[operation.op]);
  switch (operation.op) {
    case 'begin':
      writer.uint53(operation.life).uint32(operation.node);
      return;
    case 'end':
      writer.uint53(operation.life);
      return;
    case 'acquire':
      writeRequest(writer, operation, operation.waits);
      writer.uint32(operation.pid);
      return;
    case 'release':
      writeRequest(writer, operation, false);
      return;
    case 'leave':
      writer.uint53(operation.owner.life).uint32(operation.owner.session);
      return;
    default:
      unreachable(operation);
  }
}

export function writeRequest(
  writer: ByteWriter,
  { owner, request, name, mode }: AdvisoryRequest,
  waits: boolean,
): void {
  const pair = name.isPair ? flags.pair : 0;
  const exclusive = mode === 'exclusive' ? flags.exclusive : 0;
  writer.uint8(pair | exclusive | (waits ? flags.waits : 0));
  writer.uint53(owner.life).uint32(owner.session).uint53(request);
  writer.uint32(name.database).uint32(name.classId).uint32(name.objectId);
}

export function readOperations(reader: ByteReader): readonly AdvisoryOperation[] {
  const operations: AdvisoryOperation[] = [];
  for (let left = reader.uint32(); left > 0; left -= 1) operations.push(readOperation(reader));
  return operations;
}

function readOperation(reader: ByteReader): AdvisoryOperation {
  const code = reader.uint8();
  switch (code) {
    case codes.begin:
      return { op: 'begin', life: reader.uint53() as LifeId, node: reader.uint32() as NodeId };
    case codes.end:
      return { op: 'end', life: reader.uint53() as LifeId };
    case codes.acquire: {
      const { waits, ...request } = readRequest(reader);
      return { op: 'acquire', ...request, waits, pid: reader.uint32() };
    }
    case codes.release: {
      const { owner, request, name, mode } = readRequest(reader);
      return { op: 'release', owner, request, name, mode };
    }
    case codes.leave: {
      const life = reader.uint53() as LifeId;
      return { op: 'leave', owner: { life, session: reader.uint32() } };
    }
    default:
      return raise('data_corrupted', `an operation on locks of unknown code ${code}`);
  }
}

export function readRequest(reader: ByteReader): AdvisoryRequest & { readonly waits: boolean } {
  const bits = reader.uint8();
  const owner = { life: reader.uint53() as LifeId, session: reader.uint32() };
  const request = reader.uint53();
  const name = {
    database: reader.uint32(),
    classId: reader.uint32(),
    objectId: reader.uint32(),
    isPair: (bits & flags.pair) !== 0,
  };
  const mode = (bits & flags.exclusive) !== 0 ? 'exclusive' : 'shared';
  return { owner, request, name, mode, waits: (bits & flags.waits) !== 0 };
}
