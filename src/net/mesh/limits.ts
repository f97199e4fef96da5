/** Limits of the mesh that no setting changes; docs/limits.md lists them. */

export interface MeshLimits {
  /** Bytes on their way to a peer, critical to normal, that it has not acknowledged. */
  readonly windowBytes: number;
  /** The same for bulk: what a heartbeat may have to wait for where both share a wire. */
  readonly bulkWindowBytes: number;
  /** Bytes of one priority that wait for a peer above which work is refused and the rest dropped. */
  readonly queueBytesMax: number;
  /** Bytes of one priority that wait, replies included, above which the link is cut. */
  readonly replyBytesMax: number;
  /** Bytes of one message to another node. */
  readonly parcelBytesMax: number;
  /** Milliseconds from a connection to the end of its handshake. */
  readonly handshakeMs: number;
  /** Milliseconds between two pings of a connection. */
  readonly pingMs: number;
  /** Milliseconds without a byte after which a connection is given up. */
  readonly silenceMs: number;
  /** Milliseconds before a peer is dialed again, doubled with each failure, with jitter. */
  readonly dialMs: number;
  /** The longest pause before a peer is dialed again, milliseconds. */
  readonly dialMsMax: number;
  /** Milliseconds without an acknowledgement after which a reliable message is sent again. */
  readonly retryMs: number;
  /** How often a reliable message is sent again. */
  readonly retriesMax: number;
}

export const defaultMeshLimits: MeshLimits = {
  windowBytes: 1_048_576,
  bulkWindowBytes: 262_144,
  queueBytesMax: 8_388_608,
  replyBytesMax: 67_108_864,
  parcelBytesMax: 33_554_432,
  handshakeMs: 3000,
  pingMs: 500,
  silenceMs: 2000,
  dialMs: 50,
  dialMsMax: 2000,
  retryMs: 2000,
  retriesMax: 3,
};

/** Bytes of a frame of messages; a larger message travels in pieces, between which others may pass. */
export const frameBytes = 65_536;
/** Bytes of a frame from a peer; a larger one ends the connection. */
export const frameBytesMax = 131_072;
/** Bytes of the hello of a peer. */
export const helloBytesMax = 4096;
/** Streams of a connection: pairs of places that talk. Further pairs share stream 0. */
export const streamsMax = 100;
/** Kinds of messages that a connection has numbers for. */
export const kindsMax = 4096;
/** Characters of the name of an actor or of a kind of message on the wire. */
export const nameLengthMax = 255;
/** Connections whose handshake is not over; further ones are closed. */
export const greetingsMax = 128;
/** Milliseconds from a connection to the end of its request, TLS included. */
export const requestMsMax = 4000;
/** Reliable messages of one priority for one peer that are not acknowledged; further ones are refused. */
export const reliableMessagesMax = 1024;
/** Milliseconds between two looks at deadlines. */
export const tickMs = 50;
/** Milliseconds between two looks whether certificates or the secret have changed. */
export const reloadMs = 5000;
/** Milliseconds before the same refusal of the same peer is logged again. */
export const logAgainMs = 60_000;
/** Refusals that the log remembers, so that peers that make up names do not fill memory. */
export const refusalsKept = 1024;
