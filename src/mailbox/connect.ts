import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { must } from '../base/assert.js';
import { ringBytes as ringBytesDefault } from './limits.js';

/** Lanes of each way: one ring per priority, so that bulk cannot hold up what is critical. */
export const lanesPerWay = 4;

/** Integers between two bells: each lies in a cache line of its own. */
export const bellStride = 16;

/** What a thread needs to open its {@link Mailbox}: plain data and ports, to be sent to it. */
export interface MailboxSetup {
  readonly thread: number;
  readonly threads: number;
  /** One number per thread: 1 while it sleeps. */
  readonly bells: SharedArrayBuffer;
  /** One number per way and lane: 1 while its writer waits for room. */
  readonly waits: SharedArrayBuffer;
  /** By thread; undefined at its own place. */
  readonly ports: readonly (MessagePort | undefined)[];
  readonly ringBytes: number;
}

/**
 * Connects each of `threads` threads with each other one. Rings are made when first used, so this is
 * cheap. Each setup is handed to its thread, the ports by transfer ({@link transferOf}).
 */
export function connectThreads(
  threads: number,
  ringBytes = ringBytesDefault,
): readonly MailboxSetup[] {
  const bells = new SharedArrayBuffer(4 * bellStride * threads);
  const waits = new SharedArrayBuffer(4 * lanesPerWay * threads * threads);
  const ports = Array.from({ length: threads }, () =>
    new Array<MessagePort | undefined>(threads).fill(undefined),
  );
  for (let a = 0; a < threads; a += 1) {
    for (let b = a + 1; b < threads; b += 1) {
      const { port1, port2 } = new MessageChannel();
      must(ports[a], 'no such thread')[b] = port1;
      must(ports[b], 'no such thread')[a] = port2;
    }
  }
  return ports.map((own, thread) => ({ thread, threads, bells, waits, ports: own, ringBytes }));
}

/** The ports of a setup, to be named as transferred. */
export function transferOf(setup: MailboxSetup): readonly MessagePort[] {
  return setup.ports.filter((port) => port !== undefined);
}
