/** SET, SHOW and RESET: the settings of a session. Their values are text. */
import { raise } from '../../base/errors.js';
import { findTimeZone, readDateStyle } from '../types/index.js';
import { booleans, plannerSettings } from './planner-settings.js';

interface Setting {
  /** As PostgreSQL spells it. */
  readonly name: string;
  readonly initial: string;
  /** The value as it is kept; undefined when it is not taken. Absent: SET is refused. */
  readonly accept?: (value: string, current: string) => string | undefined;
}

const oneOf =
  (...values: readonly string[]) =>
  (value: string): string | undefined =>
    values.find((one) => one === value.toLowerCase());

const text = (value: string): string => value;
const isolationLevels = oneOf(
  'read uncommitted',
  'read committed',
  'repeatable read',
  'serializable',
);

/** Settings that say how values are printed. */
const printSettings = ['datestyle', 'intervalstyle', 'bytea_output', 'extra_float_digits'] as const;

function floatDigits(value: string): string | undefined {
  const digits = /^-?[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  return digits >= -15 && digits <= 3 ? String(digits) : undefined;
}

const table: readonly Setting[] = [
  ...plannerSettings,
  { name: 'application_name', initial: '', accept: text },
  {
    name: 'escape_string_warning',
    initial: 'on',
    accept: (value) => booleans[value.toLowerCase()],
  },
  { name: 'bytea_output', initial: 'hex', accept: oneOf('hex', 'escape') },
  {
    name: 'client_encoding',
    initial: 'UTF8',
    accept: (value) => (/^(utf-?8|unicode)$/i.test(value) ? 'UTF8' : undefined),
  },
  {
    name: 'client_min_messages',
    initial: 'notice',
    accept: oneOf(
      'debug5',
      'debug4',
      'debug3',
      'debug2',
      'debug1',
      'debug',
      'log',
      'notice',
      'warning',
      'error',
    ),
  },
  { name: 'DateStyle', initial: 'ISO, MDY', accept: readDateStyle },
  {
    name: 'default_transaction_isolation',
    initial: 'read committed',
    accept: isolationLevels,
  },
  {
    name: 'default_transaction_read_only',
    initial: 'off',
    accept: (value) => booleans[value.toLowerCase()],
  },
  { name: 'extra_float_digits', initial: '1', accept: floatDigits },
  { name: 'idle_in_transaction_session_timeout', initial: '0', accept: oneOf('0') },
  { name: 'integer_datetimes', initial: 'on' },
  {
    name: 'IntervalStyle',
    initial: 'postgres',
    accept: oneOf('postgres', 'postgres_verbose', 'sql_standard', 'iso_8601'),
  },
  { name: 'is_superuser', initial: 'on' },
  { name: 'lc_collate', initial: 'C' },
  { name: 'lc_ctype', initial: 'C' },
  { name: 'lock_timeout', initial: '0', accept: oneOf('0') },
  { name: 'max_identifier_length', initial: '63' },
  {
    name: 'search_path',
    initial: '"$user", public',
    // A schema need not exist.
    accept: text,
  },
  { name: 'server_encoding', initial: 'UTF8' },
  { name: 'server_version', initial: '15.0' },
  { name: 'server_version_num', initial: '150000' },
  {
    name: 'shardforge.stale_reads',
    initial: 'off',
    accept: (value) => booleans[value.toLowerCase()],
  },
  {
    name: 'standard_conforming_strings',
    initial: 'on',
    accept: (value) => (booleans[value.toLowerCase()] === 'on' ? 'on' : undefined),
  },
  {
    name: 'log_min_duration_statement',
    initial: '1000',
    accept: (value) => (/^(-1|\d{1,9})$/.test(value) ? value : undefined),
  },
  { name: 'statement_timeout', initial: '0', accept: oneOf('0') },
  {
    name: 'TimeZone',
    initial: 'UTC',
    accept: (value) => findTimeZone(value)?.name,
  },
  { name: 'transaction_isolation', initial: 'read committed', accept: isolationLevels },
  { name: 'transaction_read_only', initial: 'off' },
];

const settingsByName = new Map(table.map((setting) => [setting.name.toLowerCase(), setting]));

/** Words that the grammar makes of `SET TIME ZONE`, `SHOW TIME ZONE` and their like. */
function find(name: string): Setting {
  const setting = settingsByName.get(name.toLowerCase());
  if (setting !== undefined) return setting;
  raise('undefined_object', `unrecognized configuration parameter "${name}"`);
}

export class Settings {
  /** Values by lower-case name. Never changed in place, so that a rollback puts back the old map. */
  #values: ReadonlyMap<string, string>;
  /** What RESET goes back to. */
  readonly #initial: ReadonlyMap<string, string>;
  /** Values that hold until the transaction ends. */
  #local: ReadonlyMap<string, string> = new Map();
  #before: ReadonlyMap<string, string> | undefined;
  /** What `style` gave, and for which values. */
  #styled: {
    readonly values?: ReadonlyMap<string, string>;
    readonly local?: ReadonlyMap<string, string>;
    readonly style?: Readonly<Record<string, string>> | undefined;
  } = {};
  readonly #marks: {
    readonly name: string;
    readonly values: ReadonlyMap<string, string>;
    readonly local: ReadonlyMap<string, string>;
  }[] = [];

  /** `given` are the client's first settings; raises as SET does. */
  constructor(given: Readonly<Record<string, string>>) {
    const initial = new Map(table.map(({ name, initial: value }) => [name.toLowerCase(), value]));
    for (const [name, value] of Object.entries(given)) {
      const setting = find(name);
      const key = setting.name.toLowerCase();
      initial.set(key, accepted(setting, value, initial.get(key) ?? ''));
    }
    this.#initial = initial;
    this.#values = initial;
  }

  /** The value by lower-case name; undefined for an unknown setting. */
  get(name: string): string | undefined {
    return this.#local.get(name) ?? this.#values.get(name);
  }

  /** Whether the setting has another value than every session has at first. */
  isSet(name: string): boolean {
    return this.get(name) !== settingsByName.get(name)?.initial;
  }

  /** Settings of printing that are not as every session has them at first; undefined for none. */
  get style(): Readonly<Record<string, string>> | undefined {
    const { values, local, style } = this.#styled;
    // Every result asks, also those of one row by its key.
    if (values === this.#values && local === this.#local) return style;
    const changed = printSettings.filter((name) => this.isSet(name));
    const made =
      changed.length === 0
        ? undefined
        : Object.fromEntries(changed.map((name) => [name, this.get(name) ?? '']));
    this.#styled = { values: this.#values, local: this.#local, style: made };
    return made;
  }

  /** The value and the name as PostgreSQL spells it. */
  show(name: string): { readonly name: string; readonly value: string } {
    const setting = find(name);
    return { name: setting.name, value: this.get(setting.name.toLowerCase()) ?? '' };
  }

  all(): readonly (readonly [string, string])[] {
    return table.map(({ name }) => [name, this.get(name.toLowerCase()) ?? '']);
  }

  /** `value` undefined puts back the first value. */
  set(name: string, value: string | undefined, local: boolean): void {
    const setting = find(name);
    const key = setting.name.toLowerCase();
    const taken =
      value === undefined ? this.#initial.get(key) : accepted(setting, value, this.get(key) ?? '');
    if (taken === undefined) return;
    if (local) {
      this.#local = new Map(this.#local).set(key, taken);
      return;
    }
    this.#values = new Map(this.#values).set(key, taken);
    const without = new Map(this.#local);
    without.delete(key);
    this.#local = without;
  }

  resetAll(): void {
    this.#values = this.#initial;
    this.#local = new Map();
  }

  /** A savepoint: what is set from now on goes with it. */
  mark(name: string): void {
    this.#marks.push({ name, values: this.#values, local: this.#local });
  }

  /** ROLLBACK TO the newest savepoint of the name, or RELEASE when `keep`. */
  endMark(name: string, keep: boolean): void {
    const index = this.#marks.findLastIndex((one) => one.name === name);
    const mark = this.#marks[index];
    if (mark === undefined) return;
    this.#marks.splice(keep ? index : index + 1);
    if (keep) return;
    this.#values = mark.values;
    this.#local = mark.local;
  }

  /** A transaction begins: what is set from now on goes with it. */
  begin(): void {
    this.#before = this.#values;
  }

  /** The transaction has ended. */
  end(committed: boolean): void {
    if (!committed && this.#before !== undefined) this.#values = this.#before;
    this.#before = undefined;
    this.#marks.length = 0;
    if (this.#local.size > 0) this.#local = new Map();
  }
}

function accepted(setting: Setting, value: string, current: string): string {
  if (setting.accept === undefined) {
    raise('cant_change_runtime_param', `parameter "${setting.name}" cannot be changed`);
  }
  const taken = setting.accept(value, current);
  if (taken !== undefined) return taken;
  raise('invalid_parameter_value', `invalid value for parameter "${setting.name}": "${value}"`);
}
