/**
 * A client of a cluster that knows all addresses and nothing else: it uses one node until that one
 * does not answer, then the next, and tells what it knows of each statement's outcome.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '#src/base/assert.js';
import type { FrameParameter, FrameValue } from '#src/net/protocol.js';
import { Disconnected, RawClient, StatementFailed } from '../processes/node-process.js';

/** `unknown`: it may or may not have happened. `refused`: it has not; it may be tried again. */
export type Outcome =
  | { readonly kind: 'rows'; readonly rows: readonly (readonly FrameValue[])[] }
  | { readonly kind: 'refused'; readonly text: string }
  | { readonly kind: 'unknown' };

/** What drives load, through whichever door. */
export interface LoadClient {
  /** Runs one statement that is a transaction of its own, once. */
  execute(sql: string, params?: readonly FrameParameter[]): Promise<Outcome>;
  close(): void;
}

/** A node that is silent for so long is left: frozen, cut off or overloaded. */
export const silenceMs = 1000;
export const pauseMs = 20;

/** Runs a statement until it is answered; it must bear to be run more than once. */
export async function insist(
  client: LoadClient,
  sql: string,
  params: readonly FrameParameter[] = [],
): Promise<readonly (readonly FrameValue[])[]> {
  let last: Outcome | undefined;
  for (let tries = 0; tries < 500; tries += 1) {
    last = await client.execute(sql, params);
    if (last.kind === 'rows') return last.rows;
    await sleep(pauseMs);
  }
  throw new Error(`not answered: ${sql}: ${JSON.stringify(last)}`);
}

export class ClusterClient implements LoadClient {
  readonly #urls: readonly string[];
  #at: number;
  #connection: RawClient | undefined;

  /** Begins with the address at `first`. */
  constructor(urls: readonly string[], first: number) {
    this.#urls = urls;
    this.#at = first % urls.length;
  }

  async execute(sql: string, params: readonly FrameParameter[] = []): Promise<Outcome> {
    const connection = await this.#connect();
    if (connection === undefined) return { kind: 'refused', text: 'no connection' };
    try {
      const late = sleep(silenceMs, undefined, { ref: false });
      const rows = await Promise.race([connection.execute(sql, params), late]);
      if (rows !== undefined) return { kind: 'rows', rows };
      this.#leave();
      return { kind: 'unknown' };
    } catch (error) {
      if (error instanceof Disconnected) {
        this.#leave();
        return { kind: 'unknown' };
      }
      if (!(error instanceof StatementFailed)) throw error;
      const { retry, sqlstate, message } = error.frame;
      if (retry === 'never') throw error;
      if (retry === 'unknown') return { kind: 'unknown' };
      if (retry === 'later') this.#leave();
      return { kind: 'refused', text: `${sqlstate} ${message}` };
    }
  }

  close(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  async #connect(): Promise<RawClient | undefined> {
    if (this.#connection !== undefined) return this.#connection;
    const url = must(this.#urls[this.#at], 'an address');
    const late = sleep(silenceMs, undefined, { ref: false });
    const opening = RawClient.connect({ url }).catch(() => undefined);
    const opened = await Promise.race([opening, late]);
    if (opened !== undefined) {
      this.#connection = opened;
      return opened;
    }
    void opening.then((tooLate) => tooLate?.close());
    this.#leave();
    await sleep(pauseMs);
    return undefined;
  }

  #leave(): void {
    this.close();
    this.#at = (this.#at + 1) % this.#urls.length;
  }
}
