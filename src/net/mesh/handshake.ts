/**
 * The first records of a connection. Both say hello; with a shared secret both then prove it, the dialer
 * first. When both are known the node with the lower id takes or refuses the connection. A machine without I/O: it takes
 * records and says what to send.
 */
import { unreachable } from '../../base/assert.js';
import {
  type CertificateLike,
  certificateNames,
  makeProof,
  provesSecret,
  type Side,
} from '../security/index.js';
import { commonVersion, decodeHello, encodeHello, type Hello, recordTypes } from './wire.js';

/** Why a connection is refused; the label of a metric. */
export type Refusal =
  /** No common version of the protocol. */
  | 'version'
  /** The two are not secured in the same way. */
  | 'security'
  /** It does not know the secret. */
  | 'unauthenticated'
  /** Its certificate names another node. */
  | 'certificate'
  /** It belongs to another cluster. */
  | 'cluster'
  /** It says that it is the node that it talks to. */
  | 'node_id'
  /** The node with this id has another directory. */
  | 'instance'
  /** It does not come from this machine. */
  | 'not_loopback'
  /** It is a web page. */
  | 'origin'
  | 'handshake_timeout'
  | 'too_many'
  /** It broke the protocol, TLS or HTTP before it was known. */
  | 'malformed'
  /** This node dialed itself; quiet. */
  | 'self'
  /** There is a link already; quiet. */
  | 'duplicate';

export interface HandshakeParts {
  readonly side: Side;
  readonly own: Hello;
  readonly secret: Uint8Array | undefined;
  /** Of the peer, with TLS when it must name the node. */
  readonly certificate: CertificateLike | undefined;
}

interface Sent {
  readonly type: number;
  readonly body: Uint8Array;
}

export type Step =
  | { readonly kind: 'wait'; readonly send: readonly Sent[] }
  /** Both sides are who they say. */
  | {
      readonly kind: 'known';
      readonly send: readonly Sent[];
      readonly hello: Hello;
      readonly version: number;
    }
  /** The peer has taken the connection. */
  | { readonly kind: 'welcome'; readonly generation: number }
  /** The peer has refused it. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'refuse'; readonly reason: Refusal; readonly hello: Hello | undefined };

const wait: Step = { kind: 'wait', send: [] };

export class Handshake {
  readonly #parts: HandshakeParts;
  readonly #ownHello: Uint8Array;
  #peerHello: Uint8Array | undefined;
  #peer: Hello | undefined;
  #version = 0;
  #known = false;

  constructor(parts: HandshakeParts) {
    this.#parts = parts;
    this.#ownHello = encodeHello(parts.own);
  }

  /** Who it is or says to be. */
  get peer(): Hello | undefined {
    return this.#peer;
  }

  /** What a dialer sends first. */
  get first(): Sent {
    return { type: recordTypes.hello, body: this.#ownHello };
  }

  /** Raises `data_corrupted` for a record that is none. */
  take(type: number, body: Uint8Array): Step {
    switch (type) {
      case recordTypes.hello:
        return this.#peer === undefined ? this.#hello(body) : this.#refuse('malformed');
      case recordTypes.proof:
        return this.#proof(body);
      case recordTypes.welcome:
        return this.#known
          ? { kind: 'welcome', generation: new DataView(body.buffer, body.byteOffset).getUint32(0) }
          : this.#refuse('malformed');
      case recordTypes.refusal:
        return { kind: 'refused', reason: Buffer.from(body).toString('latin1').slice(0, 64) };
      default:
        // Of a later version; a parcel before its time ends the connection.
        return type < recordTypes.parcel ? wait : this.#refuse('malformed');
    }
  }

  #hello(body: Uint8Array): Step {
    const { own, side, secret, certificate } = this.#parts;
    const peer = decodeHello(body);
    this.#peer = peer;
    this.#peerHello = Uint8Array.from(body);
    const version = commonVersion(own, peer);
    if (version === undefined) return this.#refuse('version');
    this.#version = version;
    if (peer.security !== own.security) return this.#refuse('security');
    if (certificate !== undefined && !certificateNames(certificate, peer.node)) {
      return this.#refuse('certificate');
    }
    switch (side) {
      case 'acceptor':
        return secret === undefined
          ? this.#knows([this.first])
          : { kind: 'wait', send: [this.first] };
      case 'dialer':
        if (secret === undefined) return this.#knows([]);
        return { kind: 'wait', send: [this.#proofOf('dialer', secret)] };
      default:
        return unreachable(side);
    }
  }

  #proof(body: Uint8Array): Step {
    const { side, secret } = this.#parts;
    if (secret === undefined || this.#peerHello === undefined || this.#known) {
      return this.#refuse('malformed');
    }
    const other: Side = side === 'dialer' ? 'acceptor' : 'dialer';
    if (!provesSecret(body, secret, other, ...this.#hellos(this.#peerHello))) {
      return this.#refuse('unauthenticated');
    }
    return this.#knows(side === 'acceptor' ? [this.#proofOf('acceptor', secret)] : []);
  }

  #proofOf(side: Side, secret: Uint8Array): Sent {
    const hellos = this.#hellos(this.#peerHello ?? new Uint8Array());
    return { type: recordTypes.proof, body: makeProof(secret, side, ...hellos) };
  }

  /** The dialer's hello, then the acceptor's. */
  #hellos(peerHello: Uint8Array): [Uint8Array, Uint8Array] {
    return this.#parts.side === 'dialer'
      ? [this.#ownHello, peerHello]
      : [peerHello, this.#ownHello];
  }

  #knows(send: readonly Sent[]): Step {
    const hello = this.#peer;
    if (hello === undefined) return this.#refuse('malformed');
    this.#known = true;
    return { kind: 'known', send, hello, version: this.#version };
  }

  #refuse(reason: Refusal): Step {
    return { kind: 'refuse', reason, hello: this.#peer };
  }
}
