/**
 * A client of a cluster that uses node-postgres: one node until that one does not answer, then the next.
 * It knows no more of a statement's outcome than SQLSTATEs say.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { must } from '#src/base/assert.js';
import type { FrameParameter, FrameValue } from '#src/net/protocol.js';
import { type LoadClient, type Outcome, pauseMs, silenceMs } from './client.js';

/** It has not happened: another transaction was first, or the node has not found the others, or a majority of them, yet. */
const refusals: ReadonlySet<string> = new Set(['40001', '57P03', 'SF010']);
/**
 * What else a client may be told when a leader, a node or its disk gives up; a connection that is lost counts
 * as 08006.
 */
const expected: ReadonlySet<string> = new Set(['40003', '57P01', '08006', '53100', 'silent']);

class Silent extends Error {
  override readonly name = 'Silent';
}

type Rows = readonly (readonly FrameValue[])[];

export class WireClient implements LoadClient {
  readonly #ports: readonly number[];
  #at: number;
  #connection: pg.Client | undefined;
  /** Errors with no success between them, silences apart; most so far. */
  errorsInARowMax = 0;
  #errorsInARow = 0;
  /** How often each SQLSTATE has been told. */
  readonly codes = new Map<string, number>();
  /** Errors that were none of those a client has to expect. */
  readonly strange: string[] = [];

  /** Begins with the port at `first`. */
  constructor(ports: readonly number[], first: number) {
    this.#ports = ports;
    this.#at = first % ports.length;
  }

  async execute(sql: string, params: readonly FrameParameter[] = []): Promise<Outcome> {
    const connection = await this.#connect();
    if (connection === undefined) return { kind: 'refused', text: 'no connection' };
    try {
      return this.#done(await this.#ask(connection, sql, params));
    } catch (error) {
      return this.#told(error, 'unknown');
    }
  }

  /** Runs statements as one block. What fails before COMMIT has not happened. */
  async transaction(
    statements: readonly (readonly [string, readonly FrameParameter[]])[],
  ): Promise<Outcome> {
    const connection = await this.#connect();
    if (connection === undefined) return { kind: 'refused', text: 'no connection' };
    try {
      await this.#ask(connection, 'begin', []);
      for (const [sql, params] of statements) await this.#ask(connection, sql, params);
    } catch (error) {
      // The block is left with its connection.
      const outcome = this.#told(error, 'refused');
      this.#leave();
      return outcome;
    }
    try {
      return this.#done(await this.#ask(connection, 'commit', []));
    } catch (error) {
      return this.#told(error, 'unknown');
    }
  }

  close(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    // Its end() would wait for a node that is frozen.
    if (connection !== undefined) socketOf(connection).destroy();
  }

  async #ask(
    connection: pg.Client,
    text: string,
    values: readonly FrameParameter[],
  ): Promise<Rows> {
    const late = sleep(silenceMs, undefined, { ref: false });
    const asked = connection.query<FrameValue[]>({ text, values: [...values], rowMode: 'array' });
    const result = await Promise.race([asked, late]);
    if (result !== undefined) return result.rows;
    asked.catch(() => undefined);
    throw new Silent();
  }

  #done(rows: Rows): Outcome {
    this.#errorsInARow = 0;
    return { kind: 'rows', rows };
  }

  /** What an error says of a statement; `otherwise` where it does not say. */
  #told(error: unknown, otherwise: 'refused' | 'unknown'): Outcome {
    const code = codeOf(error);
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    if (code !== 'silent') this.#errorsInARow += 1;
    this.errorsInARowMax = Math.max(this.errorsInARowMax, this.#errorsInARow);
    const refused = refusals.has(code);
    if (!refused && !expected.has(code)) this.strange.push(String(error));
    if (code !== '40001') this.#leave();
    return refused || otherwise === 'refused'
      ? { kind: 'refused', text: code }
      : { kind: 'unknown' };
  }

  async #connect(): Promise<pg.Client | undefined> {
    if (this.#connection !== undefined) return this.#connection;
    const port = must(this.#ports[this.#at], 'a port');
    const client = new pg.Client({
      ...{ host: '127.0.0.1', port, user: 'admin', database: 'shardforge' },
      connectionTimeoutMillis: silenceMs,
    });
    // A connection that is lost while nothing runs shows with the next statement.
    client.on('error', () => undefined);
    try {
      await client.connect();
      this.#connection = client;
      return client;
    } catch {
      this.#leave();
      await sleep(pauseMs);
      return undefined;
    }
  }

  #leave(): void {
    this.close();
    this.#at = (this.#at + 1) % this.#ports.length;
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Silent) return 'silent';
  return error instanceof pg.DatabaseError ? (error.code ?? '') : '08006';
}

interface Lower {
  readonly connection: { readonly stream: { destroy(): void } };
}

function socketOf(client: pg.Client): { destroy(): void } {
  return (client as unknown as Lower).connection.stream;
}
