/** Parses long texts for sessions on a thread that is thrown away afterwards (pitfall 26). */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Jobs } from '../actors/index.js';
import { DatabaseError, raise } from '../base/errors.js';
import type { Log } from '../net/index.js';
import type { ParseAnswer } from '../sql/session/protocol.js';
import { parseHeapMebibytes, parsesWaitingMax } from './limits.js';
import type { ParseJob, ParsedText } from './parse-job.js';

/** An answer to a session, but for the number that it gave its text. */
export type NumberlessAnswer = ParseAnswer extends infer A
  ? A extends ParseAnswer
    ? Omit<A, 'parse'>
    : never
  : never;

const jobModule = new URL('./parse-job.js', import.meta.url);

export class TextParser {
  readonly #limits: ParseJob['limits'];
  readonly #log: Log;
  // One at a time: a text of 16 MB takes 1 GB. No thread stays, as the parser's memory never shrinks.
  readonly #jobs = new Jobs({
    threadsMax: 1,
    idleMs: 0,
    heapMebibytes: parseHeapMebibytes,
  });
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(limits: ParseJob['limits'], log: Log) {
    this.#limits = limits;
    this.#log = log;
  }

  /** Calls `answer` with the pieces of the tree or with an error, until `signal` says stop. */
  parse(text: string, signal: AbortSignal, answer: (answer: NumberlessAnswer) => void): void {
    this.#parse(text, signal, answer).catch((error: unknown) => {
      if (signal.aborted) return;
      const { kind, message, details } = this.#errorOf(error);
      answer({ kind: 'sql.notParsed', error: { kind, message, details } });
    });
  }

  /** Ends what is under way; those who wait get `admin_shutdown`. */
  close(): Promise<void> {
    return this.#jobs.close();
  }

  async #parse(
    text: string,
    signal: AbortSignal,
    answer: (answer: NumberlessAnswer) => void,
  ): Promise<void> {
    const job: ParseJob = { text, limits: this.#limits };
    const parsed = await this.#alone(() => {
      if (signal.aborted) raise('query_canceled', 'the statement was cancelled while it waited');
      return this.#jobs.run<ParseJob, ParsedText>(jobModule, 'parseText', job, signal);
    });
    let from = 0;
    for (const [i, to] of parsed.ends.entries()) {
      if (signal.aborted) return;
      const piece = Buffer.from(parsed.bytes, from, to - from).toString('utf8');
      answer({ kind: 'sql.parsed', piece, last: i === parsed.ends.length - 1 });
      from = to;
      await nextTurn();
    }
  }

  /**
   * One text after the other. The pool would have a queue too, but a job that is ended by its signal
   * takes the only thread with it, and piscina starts none for those that wait.
   */
  async #alone<T>(run: () => Promise<T>): Promise<T> {
    if (this.#waiting >= parsesWaitingMax) {
      raise('configuration_limit_exceeded', 'too many long statements wait to be parsed');
    }
    this.#waiting += 1;
    const mine = this.#last.then(run);
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting -= 1;
    }
  }

  #errorOf(error: unknown): DatabaseError {
    if (error instanceof DatabaseError) return error;
    const text = error instanceof Error ? error.message : String(error);
    this.#log('error', 'parser failed', { error: text });
    return new DatabaseError('internal_error', 'the thread that parsed the statement has failed');
  }
}
