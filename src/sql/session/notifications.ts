/**
 * LISTEN and NOTIFY of a session (https://www.postgresql.org/docs/15/sql-notify.html; docs/decisions/0025). What it
 * sends goes with its transaction's proposal and is heard at every node that applies it. What it hears waits until
 * it is idle and its door takes it; a session whose door does not take enough is ended.
 */
import { raise } from '../../base/errors.js';
import type { ActorStopped, Ref } from '../../actors/actor.js';
import type { ListenerMessage, NotifiedMessage } from '../../shard/protocol.js';
import type { Notification } from '../../txn/index.js';
import type { NotificationAccess } from '../types/index.js';
import { notificationWindow } from './limits.js';
import type { SessionState } from './state.js';

/** Of the transaction, in order: what it sends, and which channels it takes up or gives up. */
type Pending =
  | { readonly kind: 'send'; readonly notification: Notification; readonly key: string }
  | { readonly kind: 'listen'; readonly channel: string }
  /** Undefined: all. */
  | { readonly kind: 'unlisten'; readonly channel: string | undefined };

/** PostgreSQL's NOTIFY_PAYLOAD_MAX_LENGTH and NAMEDATALEN, bytes: both must stay below. */
const payloadBytesMax = 8000;
const channelBytesMax = 64;
/** What a notification takes in memory beside its texts. An estimate. */
const entryBytes = 64;

const nothing: ReadonlySet<string> = new Set();

export class SessionNotifications implements NotificationAccess {
  readonly #state: SessionState;
  /** Where the session hears; set when its actor is made. */
  self: Ref<ListenerMessage | ActorStopped> | undefined;
  #listening = nothing;
  #pending: Pending[] = [];
  #pendingBytes = 0;
  /** What the pending ones send, so that nothing is sent twice; undefined until it is asked for. */
  #keys: Set<string> | undefined;
  /** The replica knows more channels than the session listens on: its transaction may fail. */
  #announced = false;
  /** Heard, and not taken by the door. */
  #heard: Notification[] = [];
  #heardBytes = 0;
  /** Given to the door, which has not said that it took them. */
  #underWay = 0;
  /** The commit that is under way sends something that the session itself hears. */
  awaitsOwn = false;

  constructor(state: SessionState) {
    this.#state = state;
  }

  get channels(): readonly string[] {
    return [...this.#listening];
  }

  get queueUsage(): number {
    let fullest = 0;
    for (const other of this.#state.place.listeners) fullest = Math.max(fullest, other.#heardBytes);
    return Math.min(1, fullest / this.#state.place.limits.notificationBytes);
  }

  notify(channel: string, payload: string): void {
    if (channel === '') raise('invalid_parameter_value', 'channel name cannot be empty');
    if (Buffer.byteLength(channel) >= channelBytesMax) {
      raise('invalid_parameter_value', 'channel name too long');
    }
    if (payload.length * 3 >= payloadBytesMax && Buffer.byteLength(payload) >= payloadBytesMax) {
      raise('invalid_parameter_value', 'payload string too long');
    }
    const key = `${channel}\0${payload}`;
    this.#keys ??= new Set(this.#pending.map((one) => (one.kind === 'send' ? one.key : '')));
    if (this.#keys.has(key)) return;
    const bytes = entryBytes + 2 * key.length;
    this.#state.memory.charge(bytes);
    this.#pendingBytes += bytes;
    this.#keys.add(key);
    const { pid } = this.#state.progress;
    this.#pending.push({ kind: 'send', notification: { channel, payload, pid }, key });
  }

  listen(channel: string): void {
    this.#pending.push({ kind: 'listen', channel });
  }

  unlisten(channel: string | undefined): void {
    // Nobody who listens on nothing has anything to give up.
    if (this.#listening.size === 0 && this.#pending.length === 0) return;
    this.#pending.push({ kind: 'unlisten', channel });
  }

  /** DISCARD ALL. */
  unlistenNow(): void {
    if (this.#listening.size > 0) this.#take(nothing);
  }

  /** What came after can be taken back: of a statement, or a savepoint. */
  get mark(): number {
    return this.#pending.length;
  }

  takeBack(mark: number): void {
    if (mark >= this.#pending.length) return;
    this.#pending.splice(mark);
    this.#keys = undefined;
    if (mark === 0) this.#release();
  }

  get isPending(): boolean {
    return this.#pending.length > 0;
  }

  /**
   * The transaction is about to commit: what it sends. From now on the session hears what it is to hear if
   * that succeeds. Raises `cannot_connect_now`.
   */
  prepare(): readonly Notification[] | undefined {
    const listening = this.#listeningThen();
    const sent = this.#pending.flatMap((one) => (one.kind === 'send' ? [one.notification] : []));
    const more = [...listening].filter((channel) => !this.#listening.has(channel));
    if (more.length > 0) {
      this.#announced = true;
      this.#tellReplica([...this.#listening, ...more]);
    }
    this.awaitsOwn = sent.some(({ channel }) => listening.has(channel));
    return sent.length === 0 ? undefined : sent;
  }

  /** The transaction is over. */
  end(committed: boolean): void {
    this.awaitsOwn = false;
    if (this.#pending.length === 0) return;
    const listening = committed ? this.#listeningThen() : this.#listening;
    const changes = this.#announced || this.#pending.some(({ kind }) => kind !== 'send');
    this.#announced = false;
    this.#pending = [];
    this.#keys = undefined;
    this.#release();
    if (changes) this.#take(listening);
  }

  /** Keeps what was heard. False when there is no room for it. */
  hear({ notifications }: NotifiedMessage): boolean {
    const { place } = this.#state;
    const { pid } = this.#state.progress;
    for (const notification of notifications) {
      if (notification.pid === pid) this.awaitsOwn = false;
      this.#heard.push(notification);
      this.#heardBytes += bytesOf(notification);
    }
    return this.#heardBytes <= place.limits.notificationBytes;
  }

  /** Gives the door what it takes, outside of transactions only. */
  deliver(): void {
    const { transaction, failed, turn, door } = this.#state;
    if (this.#heard.length === 0 || transaction !== undefined || failed) return;
    let given = 0;
    for (const notification of this.#heard) {
      if (this.#underWay >= notificationWindow) break;
      given += 1;
      this.#heardBytes -= bytesOf(notification);
      // Given up since it was sent.
      if (!this.#listening.has(notification.channel)) continue;
      this.#underWay += 1;
      turn.send(door, { kind: 'sql.notification', request: 0, ...notification });
    }
    this.#heard.splice(0, given);
  }

  /** The door has taken so many. */
  taken(count: number): void {
    this.#underWay = Math.max(0, this.#underWay - count);
    this.deliver();
  }

  /** The session ends. */
  close(): void {
    this.#state.place.listeners.delete(this);
    if (this.#listening.size > 0) this.#tellReplica([]);
    this.#listening = nothing;
    this.#heard = [];
    this.#release();
  }

  /** What the session listens on if its transaction commits. */
  #listeningThen(): ReadonlySet<string> {
    if (this.#pending.every(({ kind }) => kind === 'send')) return this.#listening;
    const then = new Set(this.#listening);
    for (const one of this.#pending) {
      if (one.kind === 'listen') then.add(one.channel);
      else if (one.kind === 'unlisten' && one.channel === undefined) then.clear();
      else if (one.kind === 'unlisten' && one.channel !== undefined) then.delete(one.channel);
    }
    return then;
  }

  #take(listening: ReadonlySet<string>): void {
    const { listeners } = this.#state.place;
    this.#listening = listening;
    this.#tellReplica([...listening]);
    if (listening.size > 0) listeners.add(this);
    else {
      listeners.delete(this);
      this.#heard = [];
      this.#heardBytes = 0;
    }
  }

  #tellReplica(channels: readonly string[]): void {
    const { access } = this.#state;
    const { self } = this;
    if (self === undefined) return;
    if (channels.length > 0) this.#state.watchReplica(self);
    access.listen(self, channels);
  }

  #release(): void {
    this.#state.memory.release(this.#pendingBytes);
    this.#pendingBytes = 0;
  }
}

function bytesOf({ channel, payload }: Notification): number {
  return entryBytes + 2 * (channel.length + payload.length);
}
