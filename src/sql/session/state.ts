/** What a session holds between its requests, and what the sessions of a place share. */
import type { ActorStopped, ActorWatch, Context, Message, Ref } from '../../actors/actor.js';
import { must } from '../../base/assert.js';
import { DatabaseError, type ErrorDetails } from '../../base/errors.js';
import type { ShardAccess } from '../../shard/protocol.js';
import { TransactionBuffer } from '../../txn/buffer.js';
import { initialSettings } from '../accounts/login.js';
import { apiTokens, auditEntries } from '../accounts/index.js';
import { nameLookup } from '../bind/index.js';
import {
  type CatalogueCache,
  type CatalogueLookup,
  noObjects,
  PathLookup,
  type Principal,
  TransactionCatalogue,
} from '../catalogue/index.js';
import type { ServerFiles } from '../copy/index.js';
import { Deparser } from '../deparse/index.js';
import type { ExecutionContext, SpillFiles } from '../execute/index.js';
import { MemoryAccount } from '../memory.js';
import type { ParsedStatement } from '../parse/index.js';
import type { TransactionModes } from '../plan/statement.js';
import type { TypeName, Value } from '../types/index.js';
import type { CopyIn } from './copy-in.js';
import { closeCursors, type Cursor, endCursors } from './cursor.js';
import { DomainChecks } from './domain-checks.js';
import type { SessionRegistry } from './registry.js';
import type { SessionInput } from './session.js';
import { type SlowStatements, slowStatementsOf } from './slow-statements.js';
import { SessionFunctions } from './functions.js';
import type { Gate } from './gate.js';
import type { SessionLimits } from './limits.js';
import type { SessionMetrics } from './metrics.js';
import type { PlanCache } from './plan-cache.js';
import type {
  Column,
  ParseMessage,
  SessionAnswer,
  SessionArguments,
  TransactionStatus,
} from './protocol.js';
import { type Severity, settingRows, Settings } from '../settings/index.js';
import { SystemCatalogue, systemSchemas } from '../system/index.js';
import { computeModes, unsaid } from './blocks.js';
import { Notices } from './notices.js';
import { Numbers } from './numbers.js';
import type { SessionLocks } from './advisory-locks.js';
import { SessionNotifications } from './notifications.js';
import { PlainNames } from './plain-names.js';
import { Questions } from './questions.js';
import { dropAllParked, type Parked } from './parked.js';
import { cursorRows, preparedRows } from './own-rows.js';
import { Progress } from './progress.js';
import { SessionRoles } from './roles.js';
import { SessionSequences } from './sequences.js';
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
  /** Where the sessions of the node are known; absent where nobody asks for them. */
  readonly registry: SessionRegistry | undefined;
  readonly spill: SpillFiles | undefined;
  readonly secretBytes?: ((count: number) => Uint8Array) | undefined;
  /** Sessions that listen. */
  readonly listeners: Set<SessionNotifications>;
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
  /** Its columns are told once: it fails rather than to give others. */
  readonly isFixed: boolean;
  /** The columns that clients were told of, where they were told of the statement. */
  told?: readonly Column[] | undefined;
  /** The types of its parameters, once they are known. */
  parameters?: readonly string[];
  /** When it was prepared, milliseconds since 1970. */
  readonly preparedMs: number;
  /** By PREPARE, not by the protocol. */
  readonly fromSql: boolean;
}

/**
 * Looks at the clock after which a turn counts as over. The clock itself stands still within a turn,
 * so that a turn can be repeated in a test; executions look every 128 rows or more seldom.
 */
const looksPerTurn = 24;

/** What a session uses of its turn. */
export type Turn = Pick<
  Context<SessionInput>,
  'nowMs' | 'wallMs' | 'random' | 'send' | 'log' | 'probe' | 'setTimer' | 'stop'
>;

function firstSettings({ settings: given }: SessionArguments): {
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
  /** Who it is and what it does. */
  readonly progress: Progress;
  /** The actor's. */
  name = '';
  /** Errors of ours that clients were told of. */
  internalErrors = 0;
  /** Who answers functions of schema shardforge. */
  readonly admin: SessionArguments['admin'];
  /** Texts that were given to the parser. */
  parses = 0;
  /** The number that the answer carries which is waited for. */
  awaited = 0;
  readonly settings: Settings;
  /** Why the session serves nothing: its first settings cannot be. */
  readonly refusal: DatabaseError | undefined;
  /** What is said beside the answer of the statement that runs. */
  readonly notices: Notices;
  /** As whom it acts. */
  readonly roles: SessionRoles;
  readonly functions: SessionFunctions;
  readonly prepared = new Map<string, Prepared>();
  readonly cursors = new Map<string, Cursor>();
  /** Rests of results by their requests; of the transaction that is open. */
  parked: Map<number, Parked> | undefined;
  readonly memory: MemoryAccount;
  /** Of the statement that runs: a session runs one at a time. */
  readonly statementMemory: MemoryAccount;
  /** Of the syntax tree of a long text, until its request ends; bounded as a statement is. */
  readonly textMemory: MemoryAccount;
  /** Temporary tables and their rows. */
  readonly temporary: TemporaryStore;
  readonly sequences: SessionSequences;
  /** What functions of the statement that runs wait for. */
  readonly questions = new Questions();
  /** LISTEN and NOTIFY. */
  readonly notifications: SessionNotifications;
  /** Advisory locks; undefined until the first is taken. */
  locks: SessionLocks | undefined;
  /** For reads of one row outside of transactions; nothing is ever written to its buffer. */
  readonly pointContext: ExecutionContext & { parameters: readonly Value[] };
  /** The client's data of the COPY FROM STDIN that runs. */
  copyIn: CopyIn | undefined;
  transaction: Transaction | undefined;
  /** A transaction block has failed: only its end is taken. */
  failed = false;
  #tokens = 0;
  #watchesReplica = false;
  /** Of the transaction that has failed and is gone. */
  #failedModes: TransactionModes = unsaid;
  #turn: Turn | undefined;
  #looks = 0;
  readonly #names = new PlainNames(this);

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
    this.progress = new Progress(args);
    const { settings, refusal } = firstSettings(args);
    this.settings = settings;
    this.refusal = refusal;
    this.notices = new Notices((severity) => settings.derived.wants(severity));
    computeModes(this);
    this.roles = new SessionRoles(this, args);
    this.functions = new SessionFunctions(this.roles, args.database, this.settings, random);
    const { limits } = place;
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
    this.notifications = new SessionNotifications(this);
    this.pointContext = this.contextOf(
      {
        buffer: new TransactionBuffer(new NewestOf(access, this.temporary)),
        numbers: new Numbers(access, this.temporary),
      },
      [],
    );
    this.#completeFunctions();
  }

  /** What functions reach of the session. */
  #completeFunctions(): void {
    const { access, functions } = this;
    functions.pid = this.progress.pid;
    functions.notice = (...notice) => this.notice(...notice);
    functions.slowStatements = () => slowStatementsOf(this);
    functions.sequences = this.sequences;
    functions.notifications = this.notifications;
    functions.ask = (question, guess) => this.questions.ask(question, guess);
    const lookup = () =>
      this.transaction === undefined ? noObjects : this.lookupOf(this.transaction);
    functions.names = nameLookup(lookup, functions);
    functions.system = this.#systemOf(lookup);
    const checks = new DomainChecks();
    functions.checkDomain = (domain, value) =>
      checks.check(
        {
          functions,
          catalogueVersion: access.catalogueVersion,
          lookup: lookup(),
          contextOf: (parameters) => ({ ...this.pointContext, parameters }),
        },
        domain,
        value,
      );
    functions.hasSchema = (name) => {
      const { transaction } = this;
      if (systemSchemas.has(name)) return true;
      return transaction !== undefined && this.lookupOf(transaction).hasSchema(name);
    };
  }

  #systemOf(lookup: () => CatalogueLookup): SystemCatalogue {
    const open = (): Transaction =>
      must(this.transaction, 'system relations are read in a transaction');
    return new SystemCatalogue({
      functions: this.functions,
      catalogue: () => open().catalogue,
      lookup,
      settings: () => settingRows(this.settings),
      prepared: () => preparedRows(this),
      cursors: () => cursorRows(this),
      locks: () => this.access.advisoryLocks(),
      audit: () => auditEntries(open().buffer),
      apiTokens: () => apiTokens(open().buffer),
      deparse: new Deparser(lookup, this.functions),
    });
  }

  /** The turn that runs. */
  get turn(): Turn {
    return must(this.#turn, 'a session acts within a turn');
  }

  beginTurn(turn: Turn): void {
    this.#turn = turn;
    this.#looks = 0;
    if (this.progress.startMs < 0) this.#begin(turn);
    this.functions.nowMs = turn.wallMs;
    this.functions.random = turn.random;
  }

  #begin({ nowMs, wallMs }: Turn): void {
    this.progress.noteIdle(nowMs, wallMs);
    for (const { sqlstate, message } of this.#takeDefaults()) {
      this.notice('warning', sqlstate, message);
    }
  }

  /** Takes the settings of role and database; gives what is wrong with some of them. */
  #takeDefaults(): readonly DatabaseError[] {
    // Where nothing can be read there is only administration, under the settings that every session has.
    if (this.access.refusal !== undefined) return [];
    try {
      const catalogue = this.newestCatalogue;
      const role = catalogue.role(this.roles.sessionName);
      return this.settings.setDefaults(initialSettings(catalogue, role));
    } catch (error) {
      // The first statement meets it again, and tells.
      if (error instanceof DatabaseError) return [];
      throw error;
    }
  }

  /** A request is taken up. */
  beginRequest(request: number): void {
    this.progress.beginRequest(request, this.turn.nowMs);
    this.functions.statementMs = this.turn.wallMs;
  }

  /** Nothing is left to do. */
  noteIdle(): void {
    this.progress.noteIdle(this.turn.nowMs, this.turn.wallMs);
  }

  /** The text of the statement that runs or ran last. */
  get statementText(): string {
    const { statement } = this.progress;
    if (statement === undefined) return '';
    if ('text' in statement) return statement.text;
    const prepared = this.prepared.get(statement.prepared);
    return prepared?.text ?? prepared?.parse()?.text ?? '';
  }

  /** A statement begins, and with it a transaction unless one is open. */
  beginStatement(): void {
    this.functions.statementMs = this.turn.wallMs;
    this.progress.beginStatement(this.turn.nowMs);
    if (this.transaction === undefined) this.functions.transactionMs = this.turn.wallMs;
  }

  contextOf(
    { buffer, numbers, constraints: deferral }: ExecutionParts,
    parameters: readonly Value[],
  ): ExecutionContext & { parameters: readonly Value[] } {
    const { functions, statementMemory: memory, turnIsOver, copyIn: copyInput } = this;
    const { files, spill } = this.place;
    return {
      buffer,
      numbers,
      deferral,
      parameters,
      functions,
      memory,
      turnIsOver,
      files,
      spill,
      copyInput,
    };
  }

  /** The catalogue as names of statements mean it. */
  lookupOf({ catalogue }: Transaction): CatalogueLookup {
    return new PathLookup(catalogue, this.functions.path, this.principalOf(catalogue));
  }

  /** What the session's role may do, as `catalogue` says. */
  principalOf(catalogue: TransactionCatalogue): Principal {
    return this.roles.principalOf(catalogue, this.access.catalogueVersion);
  }

  /** As of the newest commit; for what begins and ends within a turn. */
  get newestCatalogue(): TransactionCatalogue {
    const { buffer, numbers } = this.pointContext;
    return new TransactionCatalogue(this.access, buffer, this.place.catalogue, numbers);
  }

  /**
   * Whether names mean the same as to the other sessions that can say so, at this version of the
   * catalogue.
   */
  get namesArePlain(): boolean {
    return this.#names.arePlain;
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
    return this.settings.derived.takesStaleReads;
  }

  /** Says something beside the answer, in PostgreSQL's words. */
  notice(severity: Severity, sqlstate: string, message: string, details?: ErrorDetails): void {
    this.notices.add(severity, sqlstate, message, details);
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

  /** Has `self` told when the replica of its place is gone: then it hears nothing more, and has no locks. */
  watchReplica(self: Ref<ActorStopped>): void {
    if (this.#watchesReplica) return;
    this.#watchesReplica = true;
    const message: ActorWatch = { kind: 'actor.watch', watcher: self };
    this.turn.send(this.access.replica as Ref<Message>, message);
  }

  /** The modes of the transaction that is open, or of the next one. */
  get modes(): TransactionModes {
    const { settings, transaction } = this;
    if (transaction === undefined && this.failed) return this.#failedModes;
    return {
      isolation: transaction?.isolation ?? settings.get('default_transaction_isolation'),
      readOnly: transaction?.readOnly ?? this.readOnlyByDefault,
      deferrable:
        transaction?.deferrable ?? settings.get('default_transaction_deferrable') === 'on',
    };
  }

  /** Begins a transaction, or turns the implicit one of a text into a block; a snapshot may be opened. */
  open(explicit: boolean, stale: boolean, modes?: TransactionModes): Transaction {
    const open = this.transaction;
    if (open !== undefined) {
      open.explicit ||= explicit;
      return open;
    }
    const { access, place, memory, temporary } = this;
    const transaction = new Transaction(access, place.catalogue, memory, temporary, this, {
      explicit,
      readOnly: modes?.readOnly ?? this.readOnlyByDefault,
      stale,
    });
    this.progress.transactionStartMs = this.turn.nowMs;
    transaction.isolation = modes?.isolation;
    transaction.deferrable = modes?.deferrable;
    this.transaction = transaction;
    this.settings.begin();
    return transaction;
  }

  /** The transaction, or the failed block, is over. */
  end(committed: boolean): void {
    endCursors(this, committed);
    dropAllParked(this);
    this.transaction?.close();
    this.transaction = undefined;
    this.failed = false;
    this.settings.end(committed);
    this.locks?.takeBack(0);
    if (this.notifications.isPending) this.notifications.end(committed);
  }

  /** A statement has failed: a block waits for its end, an implicit transaction is over. */
  abort(): void {
    if (this.transaction?.explicit === true) {
      this.#failedModes = this.modes;
      this.failed = true;
      const savepoint = this.transaction.savepoints.at(-1);
      this.locks?.takeBack(savepoint?.locks ?? 0);
      // A savepoint can be gone back to.
      if (savepoint !== undefined) return;
      dropAllParked(this);
      this.transaction.close();
      this.transaction = undefined;
    } else if (!this.failed) {
      this.end(false);
    }
  }

  /** Gives back all that it holds at its place. */
  release(): void {
    this.end(false);
    this.notifications.close();
    closeCursors(this);
    this.prepared.clear();
    this.temporary.clear();
  }
}
