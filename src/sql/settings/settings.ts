/** The settings of a session: SET, SHOW and RESET (https://www.postgresql.org/docs/15/sql-set.html). */
import { DatabaseError, raise } from '../../base/errors.js';
import { allSettings, reportedSettings, type Setting, settingNamed } from './table.js';
import { Derived } from './derived.js';
import { readValue, showValue } from './values.js';

/** Where a first value comes from, as pg_settings has it. */
export type FirstSource = 'client' | 'user';

/** A first value other than PostgreSQL's own. */
interface First {
  readonly value: string;
  readonly source: FirstSource;
}

/** A setting whose value lies elsewhere in the session. */
export interface Computed {
  readonly get: () => string;
  /**
   * What SET does, given a value of the setting's kind; undefined: its first value. Without it what is set
   * takes the place of what is computed.
   */
  readonly set?: (value: string | undefined, local: boolean) => void;
}

type Values = ReadonlyMap<string, string>;
const none: Values = new Map();

export class Settings {
  /** By lower-case name: what was set. Never changed in place, so that a rollback puts back the old map. */
  #set: Values = none;
  /** What holds until the transaction ends. */
  #local: Values = none;
  #before: Values | undefined;
  readonly #first = new Map<string, First>();
  readonly #computed = new Map<string, Computed>();
  /** Settings of users' own, such as `app.tenant`: as they were first spelled. */
  readonly #custom = new Map<string, string>();
  readonly #marks: { readonly name: string; readonly set: Values; readonly local: Values }[] = [];
  /** Of reported settings, what the client was told. */
  readonly #told = new Map<string, string>();
  #derived: Derived | undefined;
  /** Rises with each change. */
  version = 0;
  /** A reported setting may have another value than the client was told. */
  isReportDue = true;
  /** What the client wants at first that only superusers may set. */
  readonly givenForSuperusers: string[] = [];
  /** Whether the session may change what only superusers may. */
  isSuperuser: () => boolean = () => true;

  /** `given` are the client's first settings; raises as SET does. */
  constructor(given: Readonly<Record<string, string>>) {
    for (const [name, value] of Object.entries(given)) {
      this.#setFirst(name, value, 'client');
      const setting = settingNamed(name.toLowerCase());
      if (setting?.context === 'superuser') this.givenForSuperusers.push(setting.name);
    }
  }

  /**
   * First settings of role and database, which the client's stand over. Gives why some cannot be taken:
   * they are passed over.
   */
  setDefaults(defaults: Readonly<Record<string, string>>): readonly DatabaseError[] {
    const refused: DatabaseError[] = [];
    for (const [name, value] of Object.entries(defaults)) {
      try {
        if (!this.#first.has(name.toLowerCase())) this.#setFirst(name, value, 'user');
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        refused.push(error);
      }
    }
    this.#changed();
    return refused;
  }

  #setFirst(name: string, value: string, source: FirstSource): void {
    const key = name.toLowerCase();
    const setting = this.#find(name, true);
    const kept = setting === undefined ? value : this.#accepted(setting, name, value);
    this.#first.set(key, { value: kept, source });
  }

  /** The setting lies elsewhere from now on. */
  compute(name: string, computed: Computed): void {
    this.#computed.set(name.toLowerCase(), computed);
  }

  /** The value as it is kept, by lower-case name; undefined for an unknown setting. */
  get(key: string): string | undefined {
    return (
      this.#local.get(key) ??
      this.#set.get(key) ??
      this.#first.get(key)?.value ??
      this.#computed.get(key)?.get() ??
      settingNamed(key)?.boot ??
      (this.#custom.has(key) ? '' : undefined)
    );
  }

  /** The value that was set or given at first; undefined when none was. */
  kept(key: string): string | undefined {
    return this.#local.get(key) ?? this.#set.get(key) ?? this.#first.get(key)?.value;
  }

  /** Whether the setting has another value than every session has at first. */
  isSet(key: string): boolean {
    return this.get(key) !== settingNamed(key)?.boot;
  }

  /** What follows from the settings for every statement: not looked up each time. */
  get derived(): Derived {
    this.#derived ??= new Derived(this);
    return this.#derived;
  }

  /** The value as SHOW prints it, and the name as PostgreSQL spells it; raises for an unknown one. */
  show(name: string): { readonly name: string; readonly value: string } {
    const key = name.toLowerCase();
    const setting = settingNamed(key);
    const value = this.get(key);
    if (value === undefined) {
      raise('undefined_object', `unrecognized configuration parameter "${name}"`);
    }
    if (setting === undefined) return { name: this.#custom.get(key) ?? name, value };
    return { name: setting.name, value: showValue(setting.kind, value) };
  }

  /** As {@link show}; undefined for an unknown one. */
  shown(key: string): string | undefined {
    return this.get(key) === undefined ? undefined : this.show(key).value;
  }

  /** Rows of SHOW ALL: name, value, description. */
  all(): readonly (readonly [string, string, string])[] {
    return allSettings
      .filter(({ hidden }) => !hidden)
      .map(({ name, description }) => [name, this.show(name).value, description]);
  }

  /** `value` undefined puts back the first value. */
  set(name: string, value: string | undefined, local: boolean): void {
    const key = name.toLowerCase();
    const setting = this.#find(name, true);
    if (setting !== undefined) this.#mayChange(setting);
    const kept =
      value === undefined
        ? undefined
        : setting === undefined
          ? value
          : this.#accepted(setting, name, value);
    const computed = this.#computed.get(key);
    if (computed?.set !== undefined) {
      computed.set(kept, local);
      this.#changed();
      return;
    }
    if (local) {
      this.#local = with_(this.#local, key, kept ?? this.#firstValue(key));
    } else {
      this.#set = kept === undefined ? without(this.#set, key) : with_(this.#set, key, kept);
      this.#local = without(this.#local, key);
    }
    this.#changed();
  }

  /** Raises what {@link set} would. */
  check(name: string, value: string | undefined): void {
    const setting = this.#find(name, false);
    if (setting === undefined) return;
    this.#mayChange(setting);
    if (value !== undefined) this.#accepted(setting, name, value);
  }

  resetAll(): void {
    const kept = [...this.#set].filter(([key]) => settingNamed(key)?.keptByResetAll === true);
    this.#set = new Map(kept);
    this.#local = none;
    this.#changed();
  }

  /** A savepoint: what is set from now on goes with it. */
  mark(name: string): void {
    this.#marks.push({ name, set: this.#set, local: this.#local });
  }

  /** ROLLBACK TO the newest savepoint of the name, or RELEASE when `keep`. */
  endMark(name: string, keep: boolean): void {
    const index = this.#marks.findLastIndex((one) => one.name === name);
    const mark = this.#marks[index];
    if (mark === undefined) return;
    this.#marks.splice(keep ? index : index + 1);
    if (keep || (this.#set === mark.set && this.#local === mark.local)) return;
    this.#set = mark.set;
    this.#local = mark.local;
    this.#changed();
  }

  /** A transaction begins: what is set from now on goes with it. */
  begin(): void {
    this.#before ??= this.#set;
  }

  /** The transaction has ended. */
  end(committed: boolean): void {
    const before = this.#before;
    this.#before = undefined;
    this.#marks.length = 0;
    const restores = !committed && before !== undefined && before !== this.#set;
    if (!restores && this.#local.size === 0) return;
    if (restores) this.#set = before;
    this.#local = none;
    this.#changed();
  }

  /** Reported settings that are not as the client was last told, by name; it counts as told now. */
  takeReport(): Readonly<Record<string, string>> | undefined {
    this.isReportDue = false;
    const changed: Record<string, string> = {};
    for (const name of reportedSettings) {
      const { value } = this.show(name);
      if (this.#told.get(name) === value) continue;
      this.#told.set(name, value);
      changed[name] = value;
    }
    return Object.keys(changed).length === 0 ? undefined : changed;
  }

  /** Where the value comes from, as pg_settings has it. */
  sourceOf(key: string): 'session' | 'default' | FirstSource {
    if (this.#local.has(key) || this.#set.has(key)) return 'session';
    return this.#first.get(key)?.source ?? 'default';
  }

  /** What RESET goes back to, as it is kept. */
  firstValueOf(key: string): string {
    return this.#firstValue(key);
  }

  /** Something that a computed setting shows has changed. */
  touched(): void {
    this.#changed();
  }

  #changed(): void {
    this.version += 1;
    this.#derived = undefined;
    this.isReportDue = true;
  }

  #firstValue(key: string): string {
    return this.#first.get(key)?.value ?? settingNamed(key)?.boot ?? '';
  }

  #mayChange(setting: Setting): void {
    refuseFixed(setting);
    if (setting.context === 'superuser' && !this.isSuperuser()) {
      raise('insufficient_privilege', `permission denied to set parameter "${setting.name}"`);
    }
  }

  #accepted(setting: Setting, name: string, value: string): string {
    return acceptedValue(setting, name, value, this.get(setting.name.toLowerCase()) ?? '');
  }

  /** The setting; undefined for one of a user's own, which is known from now on when `makes`. */
  #find(name: string, makes: boolean): Setting | undefined {
    const key = name.toLowerCase();
    const setting = settingNamed(key);
    if (setting !== undefined || this.#custom.has(key)) return setting;
    refuseName(name);
    if (makes) this.#custom.set(key, name);
    return undefined;
  }
}

function with_(values: Values, key: string, value: string): Values {
  return new Map(values).set(key, value);
}

function without(values: Values, key: string): Values {
  if (!values.has(key)) return values;
  const rest = new Map(values);
  rest.delete(key);
  return rest.size === 0 ? none : rest;
}

/** Raises for the name of a setting that is neither ours nor may be a user's own: `a.b`. */
function refuseName(name: string): void {
  if (!name.includes('.')) {
    raise('undefined_object', `unrecognized configuration parameter "${name}"`);
  }
  const invalid = `invalid configuration parameter name "${name}"`;
  if (
    !/^[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*(\.[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)+$/.test(
      name,
    )
  ) {
    raise('invalid_name', invalid, {
      detail: 'Custom parameter names must be two or more simple identifiers separated by dots.',
    });
  }
  if (/^shardforge\./i.test(name)) {
    raise('invalid_name', invalid, { detail: '"shardforge" is a reserved prefix.' });
  }
}

/** Why nobody may change a setting while the node runs, by its context. */
const fixed: Partial<Record<Setting['context'], string>> = {
  internal: 'cannot be changed',
  postmaster: 'cannot be changed without restarting the server',
  sighup: 'cannot be changed now',
};

function refuseFixed({ name, context }: Setting): void {
  const reason = fixed[context];
  if (reason !== undefined) raise('cant_change_runtime_param', `parameter "${name}" ${reason}`);
}

/** `written`: the name as SET has it, which PostgreSQL's errors show. */
function acceptedValue(setting: Setting, written: string, given: string, current: string): string {
  const { name, kind, only } = setting;
  const value = readValue(kind.type === 'string' ? name : written, kind, given, current);
  if (typeof value !== 'string') {
    const { message, ...details } = value;
    raise('invalid_parameter_value', message, details);
  }
  if (only === undefined || only.includes(value)) return value;
  const shown = only.map((one) => `"${one}"`).join(' or ');
  return raise('feature_not_supported', `parameter "${name}" cannot be "${given}"`, {
    hint: `ShardForge has it as ${shown} only.`,
  });
}

/** Raises what SET of the value would; for defaults of roles and databases, whose time comes later. */
export function checkSetting(name: string, value: string): void {
  const setting = settingNamed(name.toLowerCase());
  if (setting === undefined) {
    refuseName(name);
    return;
  }
  refuseFixed(setting);
  acceptedValue(setting, name, value, setting.boot);
}
