/** What functions read of the session and its statement. */
import type { Random } from '../../base/random.js';
import { findTimeZone, type FunctionContext, type TimeZone } from '../types/index.js';
import type { Settings } from './settings.js';
import { must } from '../../base/assert.js';

/** Milliseconds from 1970 to 2000. */
const epochMs = 946_684_800_000;

function micros(wallMs: number): bigint {
  return BigInt(Math.round((wallMs - epochMs) * 1000));
}

/** One object per session; its fields are set when transactions and statements begin. */
export class SessionFunctions implements FunctionContext {
  readonly user: string;
  readonly database: string;
  readonly schema = 'public';
  readonly version: string;
  /** Milliseconds since 1970 at the start of statement and transaction, and now. */
  statementMs = 0;
  transactionMs = 0;
  nowMs = 0;
  random: Random;
  readonly #settings: Settings;
  #zone: { readonly name: string; readonly zone: TimeZone } | undefined;

  constructor(user: string, database: string, settings: Settings, random: Random) {
    this.user = user;
    this.database = database;
    this.#settings = settings;
    this.random = random;
    this.version = `PostgreSQL ${settings.show('server_version').value} (ShardForge)`;
  }

  get statementTimestamp(): bigint {
    return micros(this.statementMs);
  }

  get transactionTimestamp(): bigint {
    return micros(this.transactionMs);
  }

  readonly clockTimestamp = (): bigint => micros(this.nowMs);

  get timeZone(): TimeZone {
    const name = this.#settings.get('timezone') ?? 'UTC';
    if (this.#zone?.name !== name) {
      this.#zone = { name, zone: must(findTimeZone(name), 'SET has checked the zone') };
    }
    return this.#zone.zone;
  }

  readonly setting = (name: string): string | undefined => this.#settings.get(name);
}

/**
 * The same for the binder, remembering whether a literal was read by something that another session
 * or moment may have otherwise: then the plan holds for this execution only.
 */
export class WitnessedFunctions implements FunctionContext {
  readonly #inner: FunctionContext;
  used = false;

  constructor(inner: FunctionContext) {
    this.#inner = inner;
  }

  get #witnessed(): FunctionContext {
    this.used = true;
    return this.#inner;
  }

  get statementTimestamp(): bigint {
    return this.#witnessed.statementTimestamp;
  }

  get transactionTimestamp(): bigint {
    return this.#witnessed.transactionTimestamp;
  }

  readonly clockTimestamp = (): bigint => this.#witnessed.clockTimestamp();

  get timeZone(): TimeZone {
    return this.#witnessed.timeZone;
  }

  get random(): Random {
    return this.#witnessed.random;
  }

  get user(): string {
    return this.#witnessed.user;
  }

  get database(): string {
    return this.#witnessed.database;
  }

  get schema(): string | undefined {
    return this.#witnessed.schema;
  }

  get version(): string {
    return this.#witnessed.version;
  }

  readonly setting = (name: string): string | undefined => this.#witnessed.setting(name);
}
