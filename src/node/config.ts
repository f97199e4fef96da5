/**
 * The configuration of a node: read from a JSON file, overridden by the environment, checked against
 * the list of options and completed with defaults. Whatever is wrong is a `config_invalid` that names
 * the option; unknown names are refused, never ignored.
 *
 * The list of options is the schema. A JSON schema validator would take a tenth of a second to load,
 * a third of what an embedded node has to start.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { must } from '../base/assert.js';
import { raise } from '../base/errors.js';
import { faultInRule, type SignInRule } from '../net/index.js';
import { contradictionIn } from './config-rules.js';
import { inMemory } from './in-memory.js';
import { type ConfigOption, configOptions, environmentName } from './options.js';

export interface NodeConfig {
  readonly node: { readonly id: number };
  readonly data: {
    /** Absolute, or `:memory:`. */
    readonly directory: string;
    readonly stores: number;
    readonly mapSizeBytes: number;
  };
  readonly workers: 'auto' | number;
  readonly http: {
    readonly enabled: boolean;
    readonly host: string;
    readonly port: number;
    readonly allowedOrigins: readonly string[];
    readonly allowedHosts: readonly string[];
  };
  readonly postgres: {
    readonly enabled: boolean;
    readonly host: string;
    readonly port: number;
  };
  readonly tls: {
    /** Absolute paths; empty when not given. */
    readonly certificateFile: string;
    readonly keyFile: string;
    readonly caFile: string;
    /** Empty for Node's own. */
    readonly ciphers: string;
    readonly minimumVersion: 'TLSv1.2' | 'TLSv1.3';
  };
  readonly auth: {
    readonly rules: readonly SignInRule[];
    readonly timeoutMs: number;
  };
  readonly admin: {
    /** Empty when not given. */
    readonly password: string;
    /** An absolute path; empty when not given. */
    readonly passwordFile: string;
  };
  readonly security: { readonly allowInsecure: readonly string[] };
  readonly mesh: {
    readonly enabled: boolean;
    readonly host: string;
    readonly port: number;
    /** `host:port`; empty for those listened on. */
    readonly advertise: string;
    readonly security: 'loopback' | 'secret' | 'tls';
    /** Absolute paths; empty when not given. */
    readonly secretFile: string;
    readonly certificateFile: string;
    readonly keyFile: string;
    readonly caFile: string;
    /** 0: no limit. */
    readonly bulkBytesPerSecond: number;
    readonly snapshotCompression: 'none' | 'deflate' | 'brotli';
  };
  readonly cluster: {
    readonly checkIntervalMs: number;
    readonly seeds: readonly string[];
    readonly join: readonly string[];
    readonly role: 'voter' | 'learner' | 'witness';
  };
  readonly raft: {
    readonly heartbeatMs: number;
    readonly electionMsMin: number;
    readonly electionMsMax: number;
    readonly clockDriftPerMille: number;
    readonly leaseReads: boolean;
    /** 0: never. */
    readonly hibernateMs: number;
  };
  readonly limits: {
    readonly connections: number;
    readonly reservedConnections: number;
    readonly requestsInFlight: number;
    readonly frameBytes: number;
    readonly connectionBufferBytes: number;
    readonly statementBytes: number;
    readonly statementMemoryBytes: number;
    readonly sessionMemoryBytes: number;
    readonly nodeMemoryBytes: number;
    readonly temporaryFileBytes: number;
    readonly preparedStatements: number;
    readonly planCacheBytes: number;
  };
  readonly copy: {
    /** Absolute paths. */
    readonly directories: readonly string[];
  };
  readonly log: {
    readonly level: LogThreshold;
    readonly format: 'auto' | 'human' | 'json';
    readonly parameters: boolean;
  };
  readonly shutdown: { readonly drainMs: number };
}

export type LogThreshold = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What a configuration file may hold: any part of a {@link NodeConfig}. */
export type PartialConfig = {
  readonly [Section in keyof NodeConfig]?: NodeConfig[Section] extends object
    ? Partial<NodeConfig[Section]>
    : NodeConfig[Section];
};

export { inMemory };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the file at `path` (none: defaults) with the overrides of `environment`. With `join`
 * the node joins the cluster at these addresses, whatever seeds are given.
 */
export function loadConfig(
  path: string | undefined,
  environment: Environment,
  join?: readonly string[],
): NodeConfig {
  const read = path === undefined ? {} : readConfigFile(path);
  const given = overridden(read, environment);
  return checkConfig(join === undefined ? given : joining(given, join), path ?? 'configuration');
}

function joining(given: unknown, join: readonly string[]): unknown {
  if (!isObject(given)) return given;
  const { cluster } = given;
  return { ...given, cluster: { ...(isObject(cluster) ? cluster : {}), seeds: [], join } };
}

/** Completes `given` with defaults and checks it; `source` is named in errors. */
export function checkConfig(given: unknown, source = 'configuration'): NodeConfig {
  const fail = (message: string): never => raise('config_invalid', `${source}: ${message}`);
  if (!isObject(given)) return fail('the whole must be a JSON object');
  const unknown = unknownNames(given)[0];
  if (unknown !== undefined) return fail(`unknown option ${unknown}${suggestion(unknown)}`);
  const config: Record<string, unknown> = {};
  for (const option of configOptions()) {
    const [section, key] = partsOf(option);
    const outer = given[section];
    if (key === undefined) {
      config[section] = checkedValue(option, outer, fail);
      continue;
    }
    if (outer !== undefined && !isObject(outer)) return fail(`${section} must be a JSON object`);
    const part = (config[section] ?? {}) as Record<string, unknown>;
    part[key] = checkedValue(option, outer?.[key], fail);
    config[section] = part;
  }
  const checked = config as unknown as NodeConfig;
  const contradiction = contradictionIn(checked);
  if (contradiction !== undefined) return fail(contradiction);
  return withAbsolutePaths(checked);
}

function withAbsolutePaths(config: NodeConfig): NodeConfig {
  const { data, mesh, copy, tls, admin } = config;
  const absolute = (path: string): string => (path === '' ? path : resolve(path));
  return {
    ...config,
    data: data.directory === inMemory ? data : { ...data, directory: resolve(data.directory) },
    copy: { directories: copy.directories.map(absolute) },
    admin: { ...admin, passwordFile: absolute(admin.passwordFile) },
    tls: {
      ...tls,
      certificateFile: absolute(tls.certificateFile),
      keyFile: absolute(tls.keyFile),
      caFile: absolute(tls.caFile),
    },
    mesh: {
      ...mesh,
      secretFile: absolute(mesh.secretFile),
      certificateFile: absolute(mesh.certificateFile),
      keyFile: absolute(mesh.keyFile),
      caFile: absolute(mesh.caFile),
    },
  };
}

function checkedValue(
  option: ConfigOption,
  value: unknown,
  fail: (message: string) => never,
): unknown {
  if (value === undefined) return option.default;
  if (option.type === 'rules' && Array.isArray(value)) {
    for (const [i, rule] of value.entries()) {
      const fault = faultInRule(rule);
      if (fault !== undefined) return fail(`${option.path}: rule ${i + 1} ${fault}`);
    }
    return value;
  }
  if (isValid(option, value)) return value;
  const unit = option.unit === '-' ? '' : ` (${option.unit})`;
  return fail(`${option.path} must be ${expected(option)}${unit}`);
}

function isValid(option: ConfigOption, value: unknown): boolean {
  const { minimum = -Infinity, maximum = Infinity, allowed } = option;
  const inRange =
    typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum;
  switch (option.type) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return inRange;
    case 'auto or integer':
      return inRange || value === 'auto';
    case 'string':
      if (typeof value !== 'string' || (value === '' && option.default !== '')) return false;
      return allowed === undefined || allowed.includes(value);
    case 'rules':
      return false;
    case 'strings':
      return Array.isArray(value) && value.every((item) => typeof item === 'string' && item !== '');
  }
}

/** Names in `given` that no option has. */
function unknownNames(given: Readonly<Record<string, unknown>>): readonly string[] {
  const paths = new Set(configOptions().map((option) => option.path));
  const sections = new Set(configOptions().map((option) => partsOf(option)[0]));
  return Object.entries(given).flatMap(([name, value]) => {
    if (!sections.has(name)) return [name];
    if (!isObject(value)) return [];
    return Object.keys(value)
      .map((key) => `${name}.${key}`)
      .filter((path) => !paths.has(path));
  });
}

function partsOf(option: ConfigOption): readonly [section: string, key: string | undefined] {
  const [section, key] = option.path.split('.');
  return [must(section, 'an option has a name'), key];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readConfigFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    raise('config_invalid', `${path} cannot be read: ${reason}`);
  }
  return parsedJson(text, path);
}

function parsedJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    raise('config_invalid', `${source} is not JSON: ${reason}`);
  }
}

/** `given` with the options that the environment sets. */
function overridden(given: unknown, environment: Environment): unknown {
  if (!isObject(given)) return given;
  const config: Record<string, unknown> = { ...given };
  for (const option of configOptions()) {
    const name = environmentName(option.path);
    const text = environment[name];
    if (text === undefined || text === '') continue;
    const value = parseOverride(option, name, text);
    const [section, key] = partsOf(option);
    if (key === undefined) {
      config[section] = value;
      continue;
    }
    const part = config[section];
    config[section] = { ...(isObject(part) ? part : {}), [key]: value };
  }
  return config;
}

function parseOverride(option: ConfigOption, name: string, text: string): unknown {
  switch (option.type) {
    case 'string':
      return text;
    case 'strings':
      return text.split(',').map((item) => item.trim());
    case 'rules':
      return parsedJson(text, name);
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true';
      raise('config_invalid', `${name} must be true or false, not "${text}"`);
      break;
    case 'integer':
    case 'auto or integer':
      if (option.type === 'auto or integer' && text === 'auto') return text;
      if (/^-?\d+$/.test(text)) return Number(text);
      raise('config_invalid', `${name} must be ${option.range}, not "${text}"`);
  }
}

function expected(option: ConfigOption): string {
  switch (option.type) {
    case 'integer':
      return `a whole number from ${option.range}`;
    case 'strings':
      return `a list of strings: ${option.range}`;
    case 'rules':
    case 'auto or integer':
    case 'boolean':
      return option.range;
    case 'string':
      return option.allowed === undefined ? `a string: ${option.range}` : `one of ${option.range}`;
  }
}

/** Names the option or section that `unknown` may have been meant for. */
function suggestion(unknown: string): string {
  const paths = configOptions().map((option) => option.path);
  const names = [...new Set([...paths, ...paths.map((path) => path.split('.')[0] ?? path)])];
  const wanted = unknown.toLowerCase();
  const last = wanted.split('.').at(-1);
  const scored = names.map((name) => {
    const known = name.toLowerCase();
    // A right key in the wrong section is as near as one slip.
    const moved = known.split('.').at(-1) === last ? 1 : Number.POSITIVE_INFINITY;
    return { name, distance: Math.min(editDistance(known, wanted), moved) };
  });
  const best = scored.reduce((a, b) => (b.distance < a.distance ? b : a));
  const near = best.distance <= Math.max(2, Math.floor(unknown.length / 4));
  return near ? `; did you mean ${best.name}?` : '';
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return must(row[b.length], 'the last cell');
}
