/** What functions read of the session and its statement. */
import type { Random } from '../../base/random.js';
import {
  findTimeZone,
  type FunctionContext,
  type SequenceAccess,
  timestampOfUnixMs,
  type TimeZone,
} from '../types/index.js';
import type { Settings } from '../settings/index.js';
import { must } from '../../base/assert.js';
import { isRoleSetting, type SessionRoles } from './roles.js';

/** The schemas of a search path: names, in quotes where they need them. */
function pathOf(value: string, user: string): readonly string[] {
  const words = value.match(/"(?:[^"]|"")*"|[^\s,"]+/g) ?? [];
  return words.map((word) => {
    const name = word.startsWith('"') ? word.slice(1, -1).replaceAll('""', '"') : word;
    return name === '$user' ? user : name;
  });
}

/** One object per session; its fields are set when transactions and statements begin. */
export class SessionFunctions implements FunctionContext {
  readonly database: string;
  readonly version: string;
  /** Milliseconds since 1970 at the start of statement and transaction, and now. */
  statementMs = 0;
  transactionMs = 0;
  nowMs = 0;
  random: Random;
  sequences: SequenceAccess | undefined;
  slowStatements: FunctionContext['slowStatements'];
  ask: FunctionContext['ask'];
  notice: FunctionContext['notice'];
  pid: number | undefined;
  notifications: FunctionContext['notifications'];
  checkDomain: FunctionContext['checkDomain'];
  names: FunctionContext['names'];
  system: FunctionContext['system'];
  readonly #settings: Settings;
  readonly #roles: SessionRoles;
  /** Whether a schema is there now. */
  hasSchema: (name: string) => boolean = (name) => name === 'public';
  #path: { readonly version: number; readonly words: readonly string[] } | undefined;
  #zone: { readonly version: number; readonly zone: TimeZone } | undefined;

  constructor(roles: SessionRoles, database: string, settings: Settings, random: Random) {
    this.#roles = roles;
    this.database = database;
    this.#settings = settings;
    this.random = random;
    this.version = `PostgreSQL ${settings.show('server_version').value} (ShardForge)`;
  }

  get user(): string {
    return this.#roles.name;
  }

  get sessionUser(): string {
    return this.#roles.sessionName;
  }

  get statementTimestamp(): bigint {
    return timestampOfUnixMs(this.statementMs);
  }

  /** The words of search_path. */
  get path(): readonly string[] {
    const { version } = this.#settings;
    if (this.#path?.version !== version) {
      const words = pathOf(this.#settings.get('search_path') ?? '', this.user);
      this.#path = { version, words };
    }
    return this.#path.words;
  }

  get schema(): string | undefined {
    return this.path.find((name) => this.hasSchema(name));
  }

  get schemas(): readonly string[] {
    return this.path.filter((name) => this.hasSchema(name));
  }

  readonly changeSetting = (name: string, value: string | undefined, local: boolean): string => {
    const key = name.toLowerCase();
    if (isRoleSetting(key)) this.#roles.check(key, value);
    this.#settings.set(name, value, local);
    return this.#settings.show(name).value;
  };

  get transactionTimestamp(): bigint {
    return timestampOfUnixMs(this.transactionMs);
  }

  readonly clockTimestamp = (): bigint => timestampOfUnixMs(this.nowMs);

  get timeZone(): TimeZone {
    const { version } = this.#settings;
    if (this.#zone?.version !== version) {
      const name = this.#settings.get('timezone') ?? 'UTC';
      this.#zone = { version, zone: must(findTimeZone(name), 'SET has checked the zone') };
    }
    return this.#zone.zone;
  }

  readonly setting = (name: string): string | undefined => this.#settings.shown(name);
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

  get sessionUser(): string | undefined {
    return this.#witnessed.sessionUser;
  }

  get database(): string {
    return this.#witnessed.database;
  }

  get schema(): string | undefined {
    return this.#witnessed.schema;
  }

  get schemas(): readonly string[] {
    return this.#witnessed.schemas ?? [];
  }

  get sequences(): SequenceAccess | undefined {
    return this.#witnessed.sequences;
  }

  get slowStatements(): FunctionContext['slowStatements'] {
    return this.#witnessed.slowStatements;
  }

  get ask(): FunctionContext['ask'] {
    return this.#witnessed.ask;
  }

  get notice(): FunctionContext['notice'] {
    return this.#witnessed.notice;
  }

  get pid(): number | undefined {
    return this.#witnessed.pid;
  }

  get notifications(): FunctionContext['notifications'] {
    return this.#witnessed.notifications;
  }

  get version(): string {
    return this.#witnessed.version;
  }

  get system(): FunctionContext['system'] {
    return this.#witnessed.system;
  }

  get names(): FunctionContext['names'] {
    return this.#witnessed.names;
  }

  /** The checks are part of the type's name: the same for all. */
  get checkDomain(): FunctionContext['checkDomain'] {
    return this.#inner.checkDomain;
  }

  readonly setting = (name: string): string | undefined => this.#witnessed.setting(name);
}
