import type { Piscina } from 'piscina';
import { DatabaseError, raise } from '../base/errors.js';
import type { Job, JobOutcome } from './job-thread.js';
import { jobIdleMs, jobQueueMax, jobThreadsMax } from './limits.js';

export interface JobsOptions {
  /** Threads that run jobs at once; they end when they have had nothing to do for a while. */
  readonly threadsMax: number;
  /** Jobs that wait for a thread; more are refused. */
  readonly queueMax: number;
  /** Milliseconds without a job after which a thread ends, and gives back what its jobs have kept. */
  readonly idleMs: number;
  /** Mebibytes that the JavaScript objects of a thread may take; Node's own bound when undefined. */
  readonly heapMebibytes: number | undefined;
}

const defaultOptions: JobsOptions = {
  threadsMax: jobThreadsMax,
  queueMax: jobQueueMax,
  idleMs: jobIdleMs,
  heapMebibytes: undefined,
};

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
   * when too many jobs wait, with `admin_shutdown` after {@link close}, with `out_of_memory` when the
   * job fills the heap of its thread, with `query_canceled` when `signal` ends it (and its thread),
   * or with the job's own error.
   */
  async run<A, R>(module: URL, name: string, argument: A, signal?: AbortSignal): Promise<R> {
    if (this.#closed) raise('admin_shutdown', 'the node is stopping');
    this.#pool ??= this.#open();
    const pool = await this.#pool;
    if (pool.queueSize >= this.#options.queueMax) {
      raise('configuration_limit_exceeded', 'too many jobs wait for a thread');
    }
    const job: Job = { module: module.href, name, argument };
    const options = { name: 'run', signal: signal ?? null };
    const outcome = (await pool.run(job, options).catch((error: unknown) => {
      throw this.#failure(error, signal);
    })) as JobOutcome;
    if (outcome.kind === 'failed') raise(outcome.error, outcome.message, outcome.details);
    return outcome.result as R;
  }

  /** Ends the threads; jobs under way are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    await (await this.#pool)?.destroy();
  }

  #failure(error: unknown, signal: AbortSignal | undefined): unknown {
    if (this.#closed) return new DatabaseError('admin_shutdown', 'the node is stopping');
    if (signal?.aborted === true) return new DatabaseError('query_canceled', 'the job was ended');
    const { code } = error as { readonly code?: unknown };
    if (code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
    return new DatabaseError('out_of_memory', 'a job has filled the memory of its thread');
  }

  async #open(): Promise<Piscina> {
    const { Piscina: Pool } = await import('piscina');
    const { heapMebibytes } = this.#options;
    const pool = new Pool({
      filename: new URL('./job-thread.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: this.#options.threadsMax,
      idleTimeout: this.#options.idleMs,
      ...(heapMebibytes === undefined
        ? {}
        : { resourceLimits: { maxOldGenerationSizeMb: heapMebibytes } }),
      // Waiting in Atomics would keep a thread from ending, and saves nothing for jobs this long.
      atomics: 'disabled',
    });
    // A thread that fails rejects its jobs; a result that comes while the pool is being destroyed
    // is an error to piscina. Neither may end the process.
    pool.on('error', () => undefined);
    return pool;
  }
}
