/**
 * The channels that a database listens on, over one connection of its own. When that is lost another one takes
 * its place and listens again; what was sent in between nobody has heard, and who listens is told so.
 */
import type { NotificationFrame } from '../net/protocol.js';
import { clientError } from './errors.js';
import { listenCheckMs } from './limits.js';
import { pauseMs } from './retry.js';
import { type HeldConnection, textQuery } from './session.js';

/** What NOTIFY has sent. */
export interface Notification {
  readonly channel: string;
  readonly payload: string;
  /** pg_backend_pid() of the session that has sent it. */
  readonly pid: number;
}

export interface ListenOptions {
  /**
   * Called when the connection was lost and listening goes on over another: notifications sent meanwhile are
   * lost, so read again what they were about.
   */
  readonly onGap?: (() => void) | undefined;
}

/** One call of listen. */
export interface Subscription {
  readonly channel: string;
  /** Ends it; nothing is heard any more once it is called. */
  unlisten(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Subscriber {
  readonly channel: string;
  readonly onNotification: (notification: Notification) => void;
  readonly onGap: (() => void) | undefined;
}

export class Listening {
  readonly #acquire: () => Promise<HeldConnection>;
  readonly #subscribers = new Set<Subscriber>();
  /** The connection that listens, or comes to. */
  #held: Promise<HeldConnection> | undefined;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(acquire: () => Promise<HeldConnection>) {
    this.#acquire = acquire;
  }

  async listen(
    channel: string,
    onNotification: (notification: Notification) => void,
    { onGap }: ListenOptions,
  ): Promise<Subscription> {
    const subscriber: Subscriber = { channel, onNotification, onGap };
    const isFirst = !this.#isHeard(channel);
    this.#subscribers.add(subscriber);
    try {
      const held = await this.#connected();
      if (isFirst) await this.#run(held, `listen ${quote(channel)}`);
    } catch (error) {
      this.#subscribers.delete(subscriber);
      throw error;
    }
    const unlisten = (): Promise<void> => this.#unlisten(subscriber);
    return { channel, unlisten, [Symbol.asyncDispose]: unlisten };
  }

  /** The database closes: nothing is heard any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#subscribers.clear();
    await this.#release();
  }

  #isHeard(channel: string): boolean {
    for (const subscriber of this.#subscribers) if (subscriber.channel === channel) return true;
    return false;
  }

  async #unlisten(subscriber: Subscriber): Promise<void> {
    if (!this.#subscribers.delete(subscriber)) return;
    if (this.#subscribers.size === 0) await this.#release();
    else if (!this.#isHeard(subscriber.channel)) {
      const held = await this.#connected();
      await this.#run(held, `unlisten ${quote(subscriber.channel)}`);
    }
  }

  async #release(): Promise<void> {
    clearTimeout(this.#timer);
    const held = this.#held;
    this.#held = undefined;
    const connection = await held?.catch(() => undefined);
    connection?.listen(undefined);
    connection?.release();
  }

  /** The connection; it is made, and listens on what others wait for, where there is none. */
  #connected(): Promise<HeldConnection> {
    if (this.#closed) {
      return Promise.reject(clientError('connection_does_not_exist', 'the database was closed'));
    }
    if (this.#held === undefined) {
      const held = this.#connect();
      this.#held = held;
      held.catch(() => {
        if (this.#held === held) this.#held = undefined;
      });
    }
    return this.#held;
  }

  async #connect(): Promise<HeldConnection> {
    const held = await this.#acquire();
    held.listen({
      onNotification: (frame) => this.#hear(frame),
      onLost: () => this.#again(held),
    });
    try {
      const channels = new Set([...this.#subscribers].map(({ channel }) => channel));
      for (const channel of channels) await this.#run(held, `listen ${quote(channel)}`);
    } catch (error) {
      held.listen(undefined);
      held.release();
      throw error;
    }
    this.#failures = 0;
    this.#check(held);
    return held;
  }

  /** The connection is lost: another one listens instead, as soon as there is one. */
  #again(lost: HeldConnection): void {
    lost.listen(undefined);
    clearTimeout(this.#timer);
    this.#held = undefined;
    if (this.#closed || this.#subscribers.size === 0) return;
    this.#failures += 1;
    this.#timer = setTimeout(() => {
      this.#connected().then(
        () => {
          for (const { onGap } of [...this.#subscribers]) onGap?.();
        },
        () => this.#again(lost),
      );
    }, pauseMs(this.#failures));
  }

  /** A quiet connection is asked something now and then, so that one that is dead is noticed. */
  #check(held: HeldConnection): void {
    this.#timer = setTimeout(() => {
      this.#run(held, 'select 1').then(
        () => {
          if (held.lost === undefined) this.#check(held);
        },
        () => undefined,
      );
    }, listenCheckMs);
    this.#timer.unref();
  }

  #hear({ channel, payload, pid }: NotificationFrame): void {
    for (const subscriber of [...this.#subscribers]) {
      if (subscriber.channel === channel) subscriber.onNotification({ channel, payload, pid });
    }
  }

  async #run(held: HeldConnection, text: string): Promise<void> {
    await textQuery(held, text, [], { timeoutMs: listenCheckMs });
  }
}

function quote(channel: string): string {
  return `"${channel.replaceAll('"', '""')}"`;
}
