/** The settings that there are, read from {@link clientSettings} and its like. */
import { assert } from '../../base/assert.js';
import { findTimeZone, readDateStyle } from '../types/index.js';
import { clientSettings, plannerSettings, serverSettings } from './listed.js';
import type { SettingKind, Unit } from './values.js';

/**
 * Who may change a setting, and when, in PostgreSQL's words: `internal` nobody, `postmaster` and
 * `sighup` whoever starts the server, `superuser` superusers, `user` everybody.
 */
export type SettingContext = 'internal' | 'postmaster' | 'sighup' | 'superuser' | 'user';

export interface Setting {
  /** As PostgreSQL spells it. */
  readonly name: string;
  readonly kind: SettingKind;
  /** The value before anybody has set it, as it is kept. */
  readonly boot: string;
  readonly category: string;
  readonly description: string;
  readonly context: SettingContext;
  /** The values that SET may give, where others would ask for something that is not there. */
  readonly only: readonly string[] | undefined;
  /** Clients are told when it changes (PostgreSQL's GUC_REPORT). */
  readonly reported: boolean;
  /** Neither SHOW ALL nor pg_settings has it. */
  readonly hidden: boolean;
  /** RESET ALL leaves it as it is. */
  readonly keptByResetAll: boolean;
}

const reported: ReadonlySet<string> = new Set([
  ...['application_name', 'client_encoding', 'DateStyle', 'default_transaction_read_only'],
  ...['in_hot_standby', 'integer_datetimes', 'IntervalStyle', 'is_superuser', 'server_encoding'],
  ...['server_version', 'session_authorization', 'standard_conforming_strings', 'TimeZone'],
]);
const computed = ['is_superuser', 'role', 'session_authorization'];
const hidden: ReadonlySet<string> = new Set([...computed, 'default_with_oids']);
const keptByResetAll: ReadonlySet<string> = new Set([
  ...computed,
  ...['transaction_deferrable', 'transaction_isolation', 'transaction_read_only'],
]);
/** Lists of names, which are put into quotes where they need them. */
const quoted: ReadonlySet<string> = new Set([
  ...['local_preload_libraries', 'search_path', 'session_preload_libraries', 'temp_tablespaces'],
]);

const locales = ['C', 'POSIX'];
/** What is not listed here takes every value of its kind: it is honoured, or changes nothing here. */
const only: Readonly<Record<string, readonly string[]>> = {
  allow_system_table_mods: ['off'],
  array_nulls: ['on'],
  backslash_quote: ['safe_encoding', 'on'],
  compute_query_id: ['auto', 'off'],
  default_table_access_method: ['heap'],
  default_tablespace: [''],
  default_with_oids: ['off'],
  exit_on_error: ['off'],
  lc_messages: [...locales, 'en_US.UTF-8'],
  lc_monetary: locales,
  lc_numeric: locales,
  lc_time: [...locales, 'en_US.UTF-8'],
  lo_compat_privileges: ['off'],
  local_preload_libraries: [''],
  log_duration: ['off'],
  log_statement: ['none'],
  max_stack_depth: ['2048'],
  password_encryption: ['scram-sha-256'],
  quote_all_identifiers: ['off'],
  session_preload_libraries: [''],
  session_replication_role: ['origin', 'local'],
  standard_conforming_strings: ['on'],
  tcp_keepalives_count: ['0'],
  tcp_keepalives_idle: ['0'],
  tcp_keepalives_interval: ['0'],
  tcp_user_timeout: ['0'],
  temp_file_limit: ['-1'],
  temp_tablespaces: [''],
  timezone_abbreviations: ['Default'],
  track_activities: ['on'],
  transform_null_equals: ['off'],
};

const switchWords = { true: 'on', yes: 'on', '1': 'on', false: 'off', no: 'off', '0': 'off' };
/** Words for values of enumerations that are taken and not listed. */
const hiddenWords: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  backslash_quote: switchWords,
  client_min_messages: { debug: 'debug2', info: 'info' },
  compute_query_id: switchWords,
  constraint_exclusion: switchWords,
  debug_parallel_query: switchWords,
  synchronous_commit: switchWords,
};

/** Bytes of a name, as PostgreSQL cuts it. */
const nameLengthMax = 63;

type Reader = (value: string, current: string) => string | undefined;
const readers: Readonly<Record<string, Reader>> = {
  application_name: (value) =>
    value
      .replace(/[^ -~]/gu, (character) => '?'.repeat(Buffer.byteLength(character)))
      .slice(0, nameLengthMax),
  client_encoding: (value) => (/^\s*(utf-?8|unicode)\s*$/i.test(value) ? 'UTF8' : undefined),
  DateStyle: readDateStyle,
  TimeZone: (value) => findTimeZone(value)?.name,
};

function explainDateStyle(value: string): string {
  const words = value.toLowerCase().split(/[\s,]+/);
  const unknown = words.find(
    (word) => word !== '' && readDateStyle(word, 'ISO, MDY') === undefined,
  );
  return unknown === undefined
    ? 'Conflicting "datestyle" specifications.'
    : `Unrecognized key word: "${unknown}".`;
}

const bounds: Readonly<Record<string, number>> = { max: Number.MAX_VALUE };

function kindOf(name: string, text: string): SettingKind {
  const [type, ...words] = text.split(' ');
  switch (type) {
    case 'bool':
      return { type };
    case 'enum': {
      const values = words.join(' ').split(',');
      return { type, values, hidden: hiddenWords[name] };
    }
    case 'int':
    case 'real': {
      const [least = '', most = ''] = (words[0] ?? '').split('..');
      const bound = (word: string): number => bounds[word] ?? Number(word);
      return {
        type: type === 'int' ? 'integer' : 'real',
        least: bound(least),
        most: bound(most),
        unit: words[1] as Unit | undefined,
      };
    }
    default: {
      assert(type === 'text', 'a kind of setting', text);
      const explain = name === 'DateStyle' ? explainDateStyle : undefined;
      return {
        type: 'string',
        read: readers[name],
        explain,
        ...(quoted.has(name) && { quotes: true }),
      };
    }
  }
}

function readTable(table: string): readonly Setting[] {
  const settings: Setting[] = [];
  let category = '';
  for (const line of table.trim().split('\n')) {
    if (line.startsWith('# ')) {
      category = line.slice(2);
      continue;
    }
    const [first = '', kind = '', boot = '', description = ''] = line.split(' | ');
    const [name = '', context = 'user'] = first.split(' @');
    settings.push({
      ...{ name, boot: boot.trim(), category, description, context: context as SettingContext },
      kind: kindOf(name, kind),
      only: only[name],
      reported: reported.has(name),
      hidden: hidden.has(name),
      keptByResetAll: keptByResetAll.has(name),
    });
  }
  return settings;
}

/** By name, as PostgreSQL sorts them. */
export const allSettings: readonly Setting[] = [clientSettings, plannerSettings, serverSettings]
  .flatMap(readTable)
  .sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));

const byName = new Map(allSettings.map((setting) => [setting.name.toLowerCase(), setting]));

/** By a name in lower case. */
export function settingNamed(key: string): Setting | undefined {
  return byName.get(key);
}

/** Those that clients are told of. */
export const reportedSettings: readonly string[] = allSettings
  .filter((setting) => setting.reported)
  .map(({ name }) => name);
