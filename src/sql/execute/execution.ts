/**
 * The seam between a session and the executor: a compiled statement, run step by step so that no
 * turn of the session takes long.
 */
import type { TransactionBuffer } from '../../txn/buffer.js';
import type { NumberSource } from '../catalogue/index.js';
import type { CopyChunks, ServerFiles } from '../copy/index.js';
import type { FunctionContext } from '../functions/index.js';
import type { MemoryAccount } from '../memory.js';
import type { Nested } from './nested.js';
import type { Deferral, StatementEnd } from './statement-end.js';
import type { SpillFiles } from './spill.js';
import type { Row, Value } from '../types/value.js';

/** What an execution may use. Reads go through `buffer`, which shows the transaction's snapshot and its own writes. */
export interface ExecutionContext {
  readonly buffer: TransactionBuffer;
  readonly numbers: NumberSource;
  /** Values of `$1`, `$2`, ... in their types. */
  readonly parameters: readonly Value[];
  readonly functions: FunctionContext;
  /** What the statement holds in memory is charged here; over budget raises `out_of_memory`. */
  readonly memory: MemoryAccount;
  /** Temporary files for what memory does not hold; undefined where there are none. */
  readonly spill?: SpillFiles | undefined;
  /** True when the turn has used its time: the execution then returns `pause` soon. */
  readonly turnIsOver: () => boolean;
  /** Rows are read one at a time: what is asked for each of them has effects, and others may not be wanted. */
  readonly rowByRow?: boolean;
  /** What the parts of the statement leave to be done at its end. */
  readonly ends?: StatementEnd[];
  /** The transaction's deferred constraints; without them all are checked at once. */
  readonly deferral?: Deferral | undefined;
  /** The client's data of COPY FROM STDIN. */
  readonly copyInput?: CopyChunks | undefined;
  /** Files of the node's machine; undefined where statements may not touch any. */
  readonly files?: ServerFiles | undefined;
  /** Of a plan with queries within queries: what they share. */
  readonly nested?: Nested;
}

export type Step =
  /** Up to a batch of result rows. */
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  /** Call again in a later turn. */
  | { readonly kind: 'pause' }
  /** The end. `count` rows were returned or changed. */
  | { readonly kind: 'done'; readonly count: number };

export interface Execution {
  step(): Step;
  /** Ends an execution early and frees what it holds; void after the end or an error. */
  close(): void;
}

export interface CompiledStatement {
  /** Starts an execution; nothing is read before the first step. */
  start(context: ExecutionContext): Execution;
  /**
   * Set when the statement reads at most one row by its whole primary key: gives that row (undefined
   * for none) at once, without an execution.
   */
  readonly point: ((context: ExecutionContext) => Row | undefined) | undefined;
  /** Approximate bytes held, for the bound of the plan cache. */
  readonly bytes: number;
}
