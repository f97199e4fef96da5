/** Cancel requests of PostgreSQL's protocol that come in at another node than the session's. */
import type { Codec, Door, Doors, Message, MessageType, PlaceId } from '../actors/index.js';
import { DatabaseError } from '../base/errors.js';
import type { CancelForwarding } from '../net/index.js';
import { nodeOfPid } from '../sql/index.js';

/** Whoever shows the secret may end what the session does. */
interface CancelMessage extends Message {
  readonly kind: 'wire.cancel';
  readonly pid: number;
  readonly secret: Uint8Array;
}

const pidBytes = 4;
const secretBytesMax = 256;

const codec: Codec<CancelMessage> = {
  encode({ pid, secret }) {
    const bytes = Buffer.alloc(pidBytes + secret.length);
    bytes.writeUInt32BE(pid);
    bytes.set(secret, pidBytes);
    return bytes;
  },
  decode(bytes) {
    if (bytes.length < pidBytes || bytes.length > pidBytes + secretBytesMax) {
      throw new DatabaseError('protocol_violation', 'a cancel request that does not fit');
    }
    const all = Buffer.from(bytes);
    return { kind: 'wire.cancel', pid: all.readUInt32BE(), secret: all.subarray(pidBytes) };
  },
};

const messages: readonly MessageType[] = [
  { kind: 'wire.cancel', priority: 'normal', flow: 'droppable', codec: codec as never },
];

const name = 'cancels';
const place = 0 as PlaceId;

export class Cancels implements CancelForwarding {
  readonly #doors: Doors;
  #door: Door<CancelMessage> | undefined;

  constructor(doors: Doors) {
    this.#doors = doors;
  }

  listen(cancel: (pid: number, secret: Uint8Array) => void): void {
    this.#door = this.#doors.door<CancelMessage>(name, messages, ({ pid, secret }) =>
      cancel(pid, secret),
    );
  }

  forward(pid: number, secret: Uint8Array): void {
    const node = nodeOfPid(pid);
    if (this.#door === undefined || node === this.#door.ref.node || node < 1) return;
    this.#door.post<CancelMessage>({ node, place, name }, { kind: 'wire.cancel', pid, secret });
  }
}
