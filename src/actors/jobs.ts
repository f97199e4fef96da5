import type { Piscina } from 'piscina';
import { DatabaseError, raise } from '../base/errors.js';
import type { Job, JobOutcome } from './job-thread.js';
import { jobIdleMs, jobQueueMax, jobThreadsMax } from './limits.js';

export interface JobsOptions {
  /** Threads that run jobs at once; they end when they have had nothing to do for a while. */
  readonly threadsMax: number;
  /** Jobs that wait for a thread; more are refused. */
  readonly queueMax: number;
}

const defaultOptions: JobsOptions = { threadsMax: jobThreadsMax, queueMax: jobQueueMax };

/**
 * Stateless heavy work on threads of its own (parsing, hashing, compressing), by piscina, which is
 * loaded with the first job. A job is an exported function of a module; argument and result are
 * plain data, and an error of the catalogue comes back as one.
 */
export class Jobs {
  readonly #options: JobsOptions;
  #pool: Promise<Piscina> | undefined;
  #closed = false;

  constructor(options: Partial<JobsOptions> = {}) {
    this.#options = { ...defaultOptions, ...options };
  }

  /**
   * Runs the export `name` of the module with `argument`. Rejects with `configuration_limit_exceeded`
   * when too many jobs wait, with `admin_shutdown` after {@link close}, or with the job's own error.
   */
  async run<A, R>(module: URL, name: string, argument: A): Promise<R> {
    if (this.#closed) raise('admin_shutdown', 'the node is stopping');
    this.#pool ??= this.#open();
    const pool = await this.#pool;
    if (pool.queueSize >= this.#options.queueMax) {
      raise('configuration_limit_exceeded', 'too many jobs wait for a thread');
    }
    const job: Job = { module: module.href, name, argument };
    const outcome = (await pool.run(job, { name: 'run' }).catch((error: unknown) => {
      throw this.#closed ? new DatabaseError('admin_shutdown', 'the node is stopping') : error;
    })) as JobOutcome;
    if (outcome.kind === 'failed') raise(outcome.error, outcome.message, outcome.details);
    return outcome.result as R;
  }

  /** Ends the threads; jobs under way are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#pool)?.destroy();
  }

  async #open(): Promise<Piscina> {
    const { Piscina: Pool } = await import('piscina');
    const pool = new Pool({
      filename: new URL('./job-thread.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: this.#options.threadsMax,
      idleTimeout: jobIdleMs,
      // Waiting in Atomics would keep a thread from ending, and saves nothing for jobs this long.
      atomics: 'disabled',
    });
    // A thread that fails rejects its jobs; a result that comes while the pool is being destroyed
    // is an error to piscina. Neither may end the process.
    pool.on('error', () => undefined);
    return pool;
  }
}
