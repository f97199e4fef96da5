/** What a session holds between its requests, and what the sessions of a place share. */
import type { Context, Message, Ref } from '../../actors/actor.js';
import { must } from '../../base/assert.js';
import { DatabaseError } from '../../base/errors.js';
import type { ShardAccess } from '../../shard/protocol.js';
import { TransactionBuffer } from '../../txn/buffer.js';
import { nameLookup } from '../bind/index.js';
import {
  type CatalogueCache,
  type CatalogueLookup,
  noObjects,
  PathLookup,
  schemaKey,
  userDatabase,
} from '../catalogue/index.js';
import type { ServerFiles } from '../copy/index.js';
import type { ExecutionContext, SpillFiles } from '../execute/index.js';
import { MemoryAccount } from '../memory.js';
import type { ParsedStatement } from '../parse/index.js';
import type { TypeName, Value } from '../types/index.js';
import type { CopyIn } from './copy-in.js';
import { closeCursors, type Cursor, endCursors } from './cursor.js';
import { DomainChecks } from './domain-checks.js';
import { type SlowStatements, slowStatementsOf } from './slow-statements.js';
import { SessionFunctions } from './functions.js';
import type { Gate } from './gate.js';
import type { SessionLimits } from './limits.js';
import type { SessionMetrics } from './metrics.js';
import type { PlanCache } from './plan-cache.js';
import type {
  ParseMessage,
  SessionAnswer,
  SessionArguments,
  TransactionStatus,
} from './protocol.js';
import { Settings } from './settings.js';
import { Numbers } from './numbers.js';
import { SessionSequences } from './sequences.js';
import { SystemCatalogue } from '../system/index.js';
import { TemporaryStore } from './temporary.js';
import { NewestOf, Transaction } from './transaction.js';

/** Shared by the sessions of a place. */
export interface PlaceState {
  readonly plans: PlanCache;
  readonly gate: Gate;
  readonly catalogue: CatalogueCache;
  readonly memory: MemoryAccount;
  readonly metrics: SessionMetrics;
  readonly limits: SessionLimits;
  readonly files: ServerFiles | undefined;
  readonly slowStatements: SlowStatements | undefined;
  readonly spill: SpillFiles | undefined;
}

/** What an execution uses of its transaction. */
type ExecutionParts = Pick<Transaction, 'buffer' | 'numbers'> &
  Partial<Pick<Transaction, 'constraints'>>;

/** A statement kept under a name. */
export interface Prepared {
  /** Its place in the plan cache. */
  readonly key: string;
  /** Its whole text, where it is to be parsed again. */
  readonly text: string | undefined;
  readonly parse: () => ParsedStatement | undefined;
  readonly types: readonly (TypeName | undefined)[];
}

/**
 * Looks at the clock after which a turn counts as over. The clock itself stands still within a turn,
 * so that a turn can be repeated in a test; executions look every 128 rows or more seldom.
 */
const looksPerTurn = 24;

/** What a session uses of its turn. */
export type Turn = Pick<Context<Message>, 'nowMs' | 'wallMs' | 'random' | 'send' | 'log' | 'probe'>;

function firstSettings(given: Readonly<Record<string, string>>): {
  readonly settings: Settings;
  readonly refusal: DatabaseError | undefined;
} {
  try {
    return { settings: new Settings(given), refusal: undefined };
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return { settings: new Settings({}), refusal: error };
  }
}

export class SessionState {
  readonly access: ShardAccess;
  readonly place: PlaceState;
  readonly door: Ref<SessionAnswer & Message>;
  readonly parser: Ref<ParseMessage & Message> | undefined;
  /** Who answers functions of schema shardforge. */
  readonly admin: SessionArguments['admin'];
  /** Texts that were given to the parser. */
  parses = 0;
  /** The number that the answer carries which is waited for. */
  awaited = 0;
  readonly settings: Settings;
  /** Why the session serves nothing: its first settings cannot be. */
  readonly refusal: DatabaseError | undefined;
  readonly functions: SessionFunctions;
  readonly prepared = new Map<string, Prepared>();
  readonly cursors = new Map<string, Cursor>();
  readonly memory: MemoryAccount;
  /** Of the statement that runs: a session runs one at a time. */
  readonly statementMemory: MemoryAccount;
  /** Of the syntax tree of a long text, until its request ends; bounded as a statement is. */
  readonly textMemory: MemoryAccount;
  /** Temporary tables and their rows. */
  readonly temporary: TemporaryStore;
  readonly sequences: SessionSequences;
  /** For reads of one row outside of transactions; nothing is ever written to its buffer. */
  readonly pointContext: ExecutionContext & { parameters: readonly Value[] };
  /** The client's data of the COPY FROM STDIN that runs. */
  copyIn: CopyIn | undefined;
  transaction: Transaction | undefined;
  /** A transaction block has failed: only its end is taken. */
  failed = false;
  #tokens = 0;
  #turn: Turn | undefined;
  #looks = 0;
  #plain: { readonly version: number; readonly value: boolean } | undefined;

  constructor(
    args: SessionArguments,
    access: ShardAccess,
    place: PlaceState,
    random: Turn['random'],
  ) {
    this.access = access;
    this.place = place;
    this.door = args.door;
    this.parser = args.parser;
    this.admin = args.admin;
    const { settings, refusal } = firstSettings(args.settings);
    this.settings = settings;
    this.refusal = refusal;
    this.functions = new SessionFunctions(args.user, args.database, this.settings, random);
    const { limits } = place;
    this.functions.slowStatements = () => slowStatementsOf(this);
    this.memory = new MemoryAccount('sessionMemoryBytes', limits.sessionMemoryBytes, place.memory);
    this.statementMemory = new MemoryAccount(
      'statementMemoryBytes',
      limits.statementMemoryBytes,
      this.memory,
    );
    this.textMemory = new MemoryAccount(
      'statementMemoryBytes',
      limits.statementMemoryBytes,
      this.memory,
    );
    this.temporary = new TemporaryStore(this.memory);
    this.sequences = new SessionSequences(this);
    this.functions.sequences = this.sequences;
    const lookup = () =>
      this.transaction === undefined ? noObjects : this.lookupOf(this.transaction);
    this.functions.names = nameLookup(lookup, this.functions);
    this.functions.system = new SystemCatalogue({
      functions: this.functions,
      catalogue: () =>
        must(this.transaction, 'system relations are read in a transaction').catalogue,
      lookup,
      settings: () => [],
    });
    const checks = new DomainChecks();
    this.functions.checkDomain = (domain, value) =>
      checks.check(
        {
          functions: this.functions,
          catalogueVersion: access.catalogueVersion,
          lookup: lookup(),
          contextOf: (parameters) => ({ ...this.pointContext, parameters }),
        },
        domain,
        value,
      );
    this.functions.hasSchema = (name) => {
      const { transaction } = this;
      return transaction !== undefined && this.lookupOf(transaction).hasSchema(name);
    };
    this.pointContext = this.contextOf(
      {
        buffer: new TransactionBuffer(new NewestOf(access, this.temporary)),
        numbers: new Numbers(access, this.temporary),
      },
      [],
    );
  }

  /** The turn that runs. */
  get turn(): Turn {
    return must(this.#turn, 'a session acts within a turn');
  }

  beginTurn(turn: Turn): void {
    this.#turn = turn;
    this.#looks = 0;
    this.functions.nowMs = turn.wallMs;
    this.functions.random = turn.random;
  }

  /** A statement begins, and with it a transaction unless one is open. */
  beginStatement(): void {
    this.functions.statementMs = this.turn.wallMs;
    if (this.transaction === undefined) this.functions.transactionMs = this.turn.wallMs;
  }

  contextOf(
    { buffer, numbers, constraints: deferral }: ExecutionParts,
    parameters: readonly Value[],
  ): ExecutionContext & { parameters: readonly Value[] } {
    const { functions, statementMemory: memory, turnIsOver } = this;
    const { files, spill } = this.place;
    const { copyIn: copyInput } = this;
    const shared = { functions, memory, turnIsOver, files, spill, copyInput };
    return { buffer, numbers, deferral, parameters, ...shared };
  }

  /** The catalogue as names of statements mean it. */
  lookupOf({ catalogue }: Transaction): CatalogueLookup {
    return new PathLookup(catalogue, this.functions.path);
  }

  /**
   * Whether names mean the same as to the other sessions that can say so, at this version of the
   * catalogue: the default path without a schema of the user's name, and no temporary objects.
   */
  get namesArePlain(): boolean {
    if (!this.temporary.isEmpty || this.settings.isSet('search_path')) return false;
    const { catalogueVersion, appliedTimestamp } = this.access;
    if (this.#plain?.version !== catalogueVersion) {
      const key = schemaKey(userDatabase, this.functions.user);
      const value = this.access.get(key, appliedTimestamp) === undefined;
      this.#plain = { version: catalogueVersion, value };
    }
    return this.#plain.value;
  }

  readonly turnIsOver = (): boolean => {
    this.#looks += 1;
    return this.#looks > looksPerTurn;
  };

  get status(): TransactionStatus {
    if (this.failed) return 'failed';
    return this.transaction?.explicit === true ? 'open' : 'idle';
  }

  /** Whether the client has asked for reads that may be old where others are not to be had at once. */
  get takesStaleReads(): boolean {
    return this.settings.get('shardforge.stale_reads') === 'on';
  }

  /** Whether a transaction refuses writes unless it says otherwise. */
  get readOnlyByDefault(): boolean {
    return this.settings.get('default_transaction_read_only') === 'on';
  }

  /** A number for a question whose answer is waited for. */
  nextToken(): number {
    this.#tokens += 1;
    this.awaited = this.#tokens;
    return this.awaited;
  }

  /** Begins a transaction, or turns the implicit one of a text into a block; a snapshot may be opened. */
  open(explicit: boolean, stale: boolean, readOnly?: boolean): Transaction {
    const open = this.transaction;
    if (open !== undefined) {
      open.explicit ||= explicit;
      open.readOnly = readOnly ?? open.readOnly;
      return open;
    }
    const { access, place, memory, temporary } = this;
    this.transaction = new Transaction(access, place.catalogue, memory, temporary, {
      explicit,
      readOnly: readOnly ?? this.readOnlyByDefault,
      stale,
    });
    this.settings.begin();
    return this.transaction;
  }

  /** The transaction, or the failed block, is over. */
  end(committed: boolean): void {
    endCursors(this, committed);
    this.transaction?.close();
    this.transaction = undefined;
    this.failed = false;
    this.settings.end(committed);
  }

  /** A statement has failed: a block waits for its end, an implicit transaction is over. */
  abort(): void {
    if (this.transaction?.explicit === true) {
      this.failed = true;
      // A savepoint can be gone back to.
      if (this.transaction.savepoints.length > 0) return;
      this.transaction.close();
      this.transaction = undefined;
    } else if (!this.failed) {
      this.end(false);
    }
  }

  /** Gives back all that it holds at its place. */
  release(): void {
    this.end(false);
    closeCursors(this);
    this.prepared.clear();
    this.temporary.clear();
  }
}
