/**
 * The actor `accounts`, one beside the replica of a node: tells doors of roles and keeps what they
 * report. It holds no state of its own that a restart would lose but events that wait to be written.
 */
import type { Actor, ActorRefused, Context, Message, Place, Ref } from '../../actors/actor.js';
import { DatabaseError, type ErrorName, raise } from '../../base/errors.js';
import type {
  ProposeAnswer,
  ProposeMessage,
  ReadAnswer,
  ReadMessage,
  ShardAccess,
} from '../../shard/protocol.js';
import { shardAccess } from '../../shard/protocol.js';
import { TransactionBuffer } from '../../txn/buffer.js';
import type { Write } from '../../txn/index.js';
import { bootstrapRoleName, CatalogueCache, TransactionCatalogue } from '../catalogue/index.js';
import type { ErrorFields } from '../session/protocol.js';
import { auditKeptMs, auditRow, auditSpanBefore } from './audit.js';
import { loginOf } from './login.js';
import type {
  AccountsMessage,
  AuditEvent,
  FindMessage,
  FoundMessage,
  Login,
  TokenMessage,
} from './protocol.js';
import { tokenOfHash } from './tokens.js';

type Question = FindMessage | TokenMessage;

/** To itself, some time after rows could not be written. */
interface WriteMessage extends Message {
  readonly kind: 'accounts.write';
}

export type AccountsInput =
  | AccountsMessage
  | WriteMessage
  | ReadAnswer
  | ProposeAnswer
  | ActorRefused;

/** Events that wait at most; the oldest go first when nothing can be written for long. */
const waitingMax = 10_000;
/** Rows of one commit. */
const batchMax = 256;
/** Rows that are too old, taken out with one commit. */
const removedMax = 256;
const retryMs = 1_000;

interface Waiting {
  readonly event: AuditEvent;
  readonly atMs: number;
}

export class Accounts implements Actor<AccountsInput> {
  readonly #access: ShardAccess;
  readonly #self: Ref<AccountsInput>;
  readonly #cache = new CatalogueCache();
  /** Questions that wait for leave to read; those after it was asked for wait for the next. */
  #asking: { readonly token: number; readonly finds: Question[] } | undefined;
  #later: Question[] = [];
  #tokens = 0;
  readonly #events: Waiting[] = [];
  /** The commit on its way, and how many of the events it holds. */
  #writing: { readonly token: number; readonly count: number } | undefined;
  #lost = 0;

  constructor(place: Place, self: Ref<AccountsInput>) {
    this.#access = place.resource(shardAccess);
    this.#self = self;
  }

  receive(message: AccountsInput, context: Context<AccountsInput>): void {
    switch (message.kind) {
      case 'accounts.find':
      case 'accounts.token':
        this.#find(message, context);
        return;
      case 'accounts.audit':
        this.#keep(message.event, context);
        return;
      case 'accounts.write':
        this.#write(context);
        return;
      case 'shard.readable':
        if (message.token === this.#asking?.token) this.#readable(undefined, context);
        return;
      case 'shard.committed':
        if (message.token === this.#writing?.token) this.#written(true, context);
        return;
      case 'shard.refused':
        this.#refused(message.token, errorOf(message.reason, message.text), context);
        return;
      case 'actor.refused': {
        const { token } = message.message as { readonly token?: number };
        const text = 'too many requests wait at the shard';
        this.#refused(
          token,
          { kind: 'configuration_limit_exceeded', message: text, details: {} },
          context,
        );
        return;
      }
      default:
        message satisfies never;
    }
  }

  #find(find: Question, context: Context<AccountsInput>): void {
    const access = this.#access;
    if (access.readable(context.nowMs, context.wallMs)) {
      this.#answer(find, context);
    } else if (access.refusal !== undefined) {
      const { reason, text } = access.refusal;
      this.#tell(find, { error: errorOf(reason, text) }, context);
    } else if (this.#asking === undefined) {
      this.#ask([find], context);
    } else {
      // The leave that is asked for may be older than what was committed before this question.
      this.#later.push(find);
    }
  }

  #ask(finds: Question[], context: Context<AccountsInput>): void {
    this.#tokens += 1;
    const token = this.#tokens;
    this.#asking = { token, finds };
    context.send<ReadMessage>(this.#access.replica as Ref<Message>, {
      kind: 'shard.read',
      token,
      replyTo: this.#self,
    });
  }

  /** The questions that waited can be answered, or cannot because of `error`. */
  #readable(error: ErrorFields | undefined, context: Context<AccountsInput>): void {
    const finds = this.#asking?.finds ?? [];
    const later = this.#later;
    this.#asking = undefined;
    this.#later = [];
    if (later.length > 0) this.#ask(later, context);
    for (const find of finds) {
      if (error === undefined) this.#answer(find, context);
      else this.#tell(find, { error }, context);
    }
  }

  #answer(find: Question, context: Context<AccountsInput>): void {
    let found: Pick<FoundMessage, 'login' | 'error'>;
    try {
      const login =
        find.kind === 'accounts.find' ? this.#named(find.name) : this.#holding(find.hash, context);
      found = login === undefined ? {} : { login };
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      const { kind, message, details } = error;
      found = { error: { kind, message, details } };
    }
    this.#tell(find, found, context);
  }

  #named(name: string): Login | undefined {
    const catalogue = this.#catalogue();
    const role = catalogue.role(name);
    // As long for a name that no role has: the time must not tell who asks.
    const asked = role ?? catalogue.role(bootstrapRoleName);
    const login = asked && loginOf(catalogue, asked);
    return role === undefined ? undefined : login;
  }

  #holding(hash: string, { wallMs }: Context<AccountsInput>): Login | undefined {
    const access = this.#access;
    const at = access.appliedTimestamp;
    const token = tokenOfHash({ get: (key) => access.get(key, at) }, hash);
    if (token === undefined || wallMs >= (token.validUntilMs ?? Infinity)) return undefined;
    const catalogue = this.#catalogue();
    const role = catalogue.objectIfThere(token.role);
    return role?.kind === 'role' ? loginOf(catalogue, role) : undefined;
  }

  #tell(
    { find, replyTo }: Question,
    found: Pick<FoundMessage, 'login' | 'error'>,
    context: Context<AccountsInput>,
  ): void {
    context.send<FoundMessage>(replyTo, { kind: 'accounts.found', find, ...found });
  }

  /** The catalogue as of the newest commit; good for this turn. */
  #catalogue(): TransactionCatalogue {
    const access = this.#access;
    const at = access.appliedTimestamp;
    const buffer = new TransactionBuffer({
      get: (key) => access.get(key, at),
      scan: (span, visit, reverse) => access.scan(span, at, visit, reverse),
    });
    const numbers = { take: () => raise('internal_error', 'nothing is made while roles are read') };
    return new TransactionCatalogue(access, buffer, this.#cache, numbers);
  }

  #keep(event: AuditEvent, context: Context<AccountsInput>): void {
    this.#events.push({ event, atMs: context.wallMs });
    if (this.#events.length > waitingMax && this.#events.length > (this.#writing?.count ?? 0)) {
      this.#events.splice(this.#writing?.count ?? 0, 1);
      this.#lost += 1;
      if (this.#lost === 1)
        context.log('error', 'audit events are lost: they cannot be written', {});
    }
    this.#write(context);
  }

  /** One commit at a time, of all that waits. */
  #write(context: Context<AccountsInput>): void {
    if (this.#writing !== undefined || this.#events.length === 0) return;
    const access = this.#access;
    const batch = this.#events.slice(0, batchMax);
    const writes: Write[] = [];
    try {
      for (const { event, atMs } of batch) {
        writes.push({ op: 'put', ...auditRow(event, atMs, context.random) });
      }
      const at = access.appliedTimestamp;
      access.scan(auditSpanBefore(context.wallMs - auditKeptMs), at, (key) => {
        writes.push({ op: 'delete', key: Uint8Array.from(key) });
        return writes.length < batch.length + removedMax;
      });
      const token = access.nextTransactionId();
      const proposal = { transaction: token, snapshot: at, writes, guards: [], objects: [] };
      this.#writing = { token, count: batch.length };
      context.send<ProposeMessage>(access.replica as Ref<Message>, {
        kind: 'shard.propose',
        shard: access.shard,
        ...{ token, proposal, replyTo: this.#self },
      });
    } catch (error) {
      // No replica yet, or one that has no ids to give.
      if (!(error instanceof DatabaseError)) throw error;
      this.#writing = undefined;
      this.#writeLater(context);
    }
  }

  #written(done: boolean, context: Context<AccountsInput>): void {
    const { count } = this.#writing ?? { count: 0 };
    this.#writing = undefined;
    if (!done) {
      this.#writeLater(context);
      return;
    }
    this.#events.splice(0, count);
    this.#lost = 0;
    this.#write(context);
  }

  #writeLater(context: Context<AccountsInput>): void {
    context.setTimer('write', retryMs, { kind: 'accounts.write' });
  }

  #refused(token: number | undefined, error: ErrorFields, context: Context<AccountsInput>): void {
    if (token === this.#asking?.token) this.#readable(error, context);
    else if (token === this.#writing?.token) {
      // Whether it happened is not known: a row twice is worse than one that is missing.
      this.#written(error.kind === 'statement_completion_unknown', context);
    }
  }
}

function errorOf(reason: string, message: string): ErrorFields {
  const isConflict = reason === 'conflict' || reason === 'staleObject';
  const kind = isConflict ? 'serialization_failure' : (reason as ErrorName);
  return { kind, message, details: {} };
}
