/**
 * Who listens for notifications at this replica: sessions of its place. They are told what entries bring as they
 * are applied, in the order of the log, so at every replica in the order of commits.
 *
 * Invariant: whoever listens hears everything that is applied from then on, or is told that it does not any more.
 */
import type { Context, Ref } from '../actors/actor.js';
import type { News, Notification } from '../txn/index.js';
import type { ReplicaMessage } from './messages.js';
import type { ListenerMessage } from './protocol.js';

interface Listener {
  readonly ref: Ref<ListenerMessage>;
  readonly channels: ReadonlySet<string>;
}

export class Listeners {
  /** By the names of the sessions, which are those of this place. */
  readonly #listeners = new Map<string, Listener>();
  readonly #byChannel = new Map<string, Set<Listener>>();

  /** From now on the session listens on these channels, and on no others. */
  listen(ref: Ref<ListenerMessage>, channels: readonly string[]): void {
    this.forget(ref.name);
    if (channels.length === 0) return;
    const listener = { ref, channels: new Set(channels) };
    this.#listeners.set(ref.name, listener);
    for (const channel of listener.channels) {
      const there = this.#byChannel.get(channel);
      if (there === undefined) this.#byChannel.set(channel, new Set([listener]));
      else there.add(listener);
    }
  }

  /** The session is gone. */
  forget(name: string): void {
    const listener = this.#listeners.get(name);
    if (listener === undefined) return;
    this.#listeners.delete(name);
    for (const channel of listener.channels) {
      const there = this.#byChannel.get(channel);
      there?.delete(listener);
      if (there?.size === 0) this.#byChannel.delete(channel);
    }
  }

  tell({ notifications, timestamp }: News, context: Context<ReplicaMessage>): void {
    if (this.#listeners.size === 0 || notifications.length === 0) return;
    const heard = new Map<Listener, Notification[]>();
    for (const notification of notifications) {
      for (const listener of this.#byChannel.get(notification.channel) ?? []) {
        const list = heard.get(listener);
        if (list === undefined) heard.set(listener, [notification]);
        else list.push(notification);
      }
    }
    for (const [{ ref }, list] of heard) {
      context.send(ref, { kind: 'shard.notified', timestamp, notifications: list });
    }
  }

  /** What is applied next does not follow on what was applied last. */
  loseAll(text: string, context: Context<ReplicaMessage>): void {
    if (this.#listeners.size === 0) return;
    context.probe('shard.notificationsLost');
    for (const { ref } of [...this.#listeners.values()]) {
      this.forget(ref.name);
      context.send(ref, { kind: 'shard.lost', text });
    }
  }
}
