/**
 * The wire format between nodes, version 1. Two nodes speak the lower of their newest versions, if both
 * know it; so adjacent versions interoperate. Without a new version records of new types and fields at
 * the end of a record may be added, parcels apart: who does not know them passes over them.
 *
 * A binary WebSocket message is a frame: a CRC-32 of the rest (4 bytes), then records. A record is its
 * type (1 byte), the length of its body (varint) and its body. Numbers are varints, texts a varint length
 * and UTF-8, as {@link ByteWriter} writes them.
 */
import type { NodeId } from '../../base/ids.js';
import { ByteReader, ByteWriter } from '../../base/bytes.js';
import { raise } from '../../base/errors.js';
import type { Priority } from '../../actors/actor.js';
import { helloBytesMax } from './limits.js';

/** The versions that this build speaks. */
export const protocol = { oldest: 1, newest: 1 } as const;

export const recordTypes = {
  /** {@link Hello}: the first record of both sides. */
  hello: 1,
  /** Proof that the sender knows the secret (32 bytes). */
  proof: 2,
  /** The connection is taken, said by the node with the lower id: its generation (4 bytes). */
  welcome: 3,
  /** The connection is refused: the reason. */
  refusal: 4,
  /** The sender's clock in ms (float64), to be sent back in a pong. */
  ping: 5,
  pong: 6,
  /** Bytes of frames received on this connection so far. */
  received: 7,
  /** A stream gets a number: number, receiver's place, sender's place + 1 or 0 for none. */
  stream: 8,
  /** A kind of message gets a number: number, name. */
  kind: 9,
  /** Reliable messages have arrived: sequence number, priority. */
  delivered: 10,
  /** The sender has come to belong to a cluster since its hello: the id. */
  identity: 11,
  /**
   * 16 to 19, by priority: a message. A byte 0; stream; on stream 0 the places as in a stream record;
   * kind; names of receiver and, where it has a place, sender (length in a byte, Latin-1); its bytes.
   */
  parcel: 16,
  /** 20 to 23, by priority: bytes that come before the next parcel record of the priority. */
  piece: 20,
  /** 24 to 27, by priority: a parcel with its sequence number (varint) before it. */
  reliable: 24,
} as const;

/** By their number on the wire. */
export const priorities: readonly Priority[] = ['critical', 'high', 'normal', 'low'];

/** A link is two connections: bulk has its own, so that it never delays the rest. */
export type ConnectionClass = 'main' | 'bulk';
const classes: readonly ConnectionClass[] = ['main', 'bulk'];

export type SecurityKind = 'loopback' | 'secret' | 'tls';
const securityKinds: readonly SecurityKind[] = ['loopback', 'secret', 'tls'];

export interface Hello {
  readonly oldest: number;
  readonly newest: number;
  readonly node: NodeId;
  /** UUID of the node's directory. */
  readonly instance: string;
  /** Made up at each start of the process. */
  readonly boot: string;
  readonly connection: ConnectionClass;
  readonly security: SecurityKind;
  /** Undefined before the node belongs to a cluster. */
  readonly clusterId: string | undefined;
  /** The version of the program. */
  readonly version: string;
  /** `host:port` where others reach its mesh. */
  readonly address: string;
  /** Empty: where a node takes SQL is for its cluster to know. */
  readonly http: string;
  readonly nonce: Uint8Array;
  /**
   * Of a dialer: it knows whom it dials and has no link to it, so one that the other side still holds is
   * dead. False: the other side keeps what it has.
   */
  readonly replaces: boolean;
}

export const nonceBytes = 32;

export function encodeHello(hello: Hello): Uint8Array {
  return new ByteWriter()
    .varint(hello.oldest)
    .varint(hello.newest)
    .varint(hello.node)
    .varText(hello.instance)
    .varText(hello.boot)
    .uint8(classes.indexOf(hello.connection))
    .uint8(securityKinds.indexOf(hello.security))
    .varText(hello.clusterId ?? '')
    .varText(hello.version)
    .varText(hello.address)
    .varText(hello.http)
    .raw(hello.nonce)
    .uint8(hello.replaces ? 1 : 0)
    .finish();
}

/** Raises `data_corrupted` for what is no hello. */
export function decodeHello(bytes: Uint8Array): Hello {
  if (bytes.length > helloBytesMax) raise('data_corrupted', 'a hello is too large');
  const reader = new ByteReader(bytes);
  const oldest = reader.varint();
  const newest = reader.varint();
  const node = reader.varint() as NodeId;
  const instance = reader.varText();
  const boot = reader.varText();
  const connection = classes[reader.uint8()];
  const security = securityKinds[reader.uint8()];
  const clusterId = reader.varText();
  const version = reader.varText();
  const address = reader.varText();
  const http = reader.varText();
  const nonce = Uint8Array.from(reader.raw(nonceBytes));
  const replaces = reader.uint8() === 1;
  if (node < 1 || oldest > newest || connection === undefined || security === undefined) {
    raise('data_corrupted', 'a hello has fields out of range');
  }
  const who = { node, instance, boot, clusterId: clusterId === '' ? undefined : clusterId };
  const where = { version, address, http };
  return { oldest, newest, ...who, ...where, connection, security, nonce, replaces };
}

/** The version that two nodes speak; undefined when they have none in common. */
export function commonVersion(
  a: { readonly oldest: number; readonly newest: number },
  b: { readonly oldest: number; readonly newest: number },
): number | undefined {
  const version = Math.min(a.newest, b.newest);
  return version >= Math.max(a.oldest, b.oldest) ? version : undefined;
}
