/**
 * The configuration of a node: read from a JSON file, overridden by the environment, checked against
 * the schema and completed with defaults. Whatever is wrong is a `config_invalid` that names the
 * option; unknown names are refused, never ignored.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv, type ErrorObject } from 'ajv';
import { must } from '../base/assert.js';
import { raise } from '../base/errors.js';
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
  readonly limits: {
    readonly connections: number;
    readonly requestsInFlight: number;
    readonly frameBytes: number;
    readonly connectionBufferBytes: number;
    readonly statementBytes: number;
    readonly statementMemoryBytes: number;
    readonly sessionMemoryBytes: number;
    readonly nodeMemoryBytes: number;
    readonly preparedStatements: number;
    readonly planCacheBytes: number;
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

type Environment = Readonly<Record<string, string | undefined>>;

/** The data directory of a node that keeps everything in memory. */
export const inMemory = ':memory:';

/** Reads and checks the file at `path` (none: defaults) with the overrides of `environment`. */
export function loadConfig(path: string | undefined, environment: Environment): NodeConfig {
  const given = path === undefined ? {} : readConfigFile(path);
  return checkConfig(overridden(given, environment), path ?? 'configuration');
}

/** Completes `given` with defaults and checks it; `source` is named in errors. */
export function checkConfig(given: unknown, source = 'configuration'): NodeConfig {
  // A copy: the validator fills in defaults, and the caller's object stays as it is.
  const config = structuredClone(given) as { data: { directory: string; stores: number } };
  const ajv = new Ajv({ useDefaults: true, strict: true, allowUnionTypes: true });
  const validate = ajv.compile(configSchema());
  if (!validate(config)) {
    raise('config_invalid', `${source}: ${describe(must(validate.errors?.[0], 'an error'))}`);
  }
  if (config.data.directory !== inMemory) config.data.directory = resolve(config.data.directory);
  return config as unknown as NodeConfig;
}

/** The JSON schema of a configuration (draft 7), made from the list of options. */
export function configSchema(): object {
  const sections: Record<string, { properties: Record<string, object> }> = {};
  const root: Record<string, object> = { $schema: { type: 'string' } };
  for (const option of configOptions()) {
    const [section, key] = option.path.split('.');
    const name = must(section, 'an option has a name');
    if (key === undefined) {
      root[name] = optionSchema(option);
      continue;
    }
    const known = sections[name] ?? { properties: {} };
    known.properties[key] = optionSchema(option);
    sections[name] = known;
  }
  for (const [name, { properties }] of Object.entries(sections)) {
    root[name] = { type: 'object', additionalProperties: false, default: {}, properties };
  }
  return { type: 'object', additionalProperties: false, properties: root };
}

function optionSchema(option: ConfigOption): object {
  const { description } = option;
  const value = { default: option.default, description };
  const range = {
    ...(option.minimum === undefined ? {} : { minimum: option.minimum }),
    ...(option.maximum === undefined ? {} : { maximum: option.maximum }),
  };
  switch (option.type) {
    case 'boolean':
      return { type: 'boolean', ...value };
    case 'integer':
      return { type: 'integer', ...range, ...value };
    case 'string':
      if (option.allowed !== undefined) return { enum: option.allowed, ...value };
      return { type: 'string', minLength: 1, ...value };
    case 'strings':
      return { type: 'array', items: { type: 'string', minLength: 1 }, ...value };
    case 'auto or integer':
      return { anyOf: [{ const: 'auto' }, { type: 'integer', ...range }], ...value };
  }
}

function readConfigFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    raise('config_invalid', `${path} cannot be read: ${reason}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    raise('config_invalid', `${path} is not JSON: ${reason}`);
  }
}

/** `given` with the options that the environment sets. */
function overridden(given: unknown, environment: Environment): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const config = structuredClone(given) as Record<string, unknown>;
  for (const option of configOptions()) {
    const name = environmentName(option.path);
    const text = environment[name];
    if (text === undefined || text === '') continue;
    const value = parseOverride(option, name, text);
    const [section, key] = option.path.split('.') as [string, string | undefined];
    if (key === undefined) {
      config[section] = value;
      continue;
    }
    const part = config[section];
    config[section] = { ...(typeof part === 'object' ? part : {}), [key]: value };
  }
  return config;
}

function parseOverride(option: ConfigOption, name: string, text: string): unknown {
  switch (option.type) {
    case 'string':
      return text;
    case 'strings':
      return text.split(',').map((item) => item.trim());
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

/** The first finding of the validator as one sentence that names the option. */
function describe(error: ErrorObject): string {
  const path = error.instancePath.slice(1).replaceAll('/', '.');
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params.additionalProperty);
    const unknown = path === '' ? key : `${path}.${key}`;
    const near = nearest(unknown);
    return `unknown option ${unknown}${near === undefined ? '' : `; did you mean ${near}?`}`;
  }
  const option = configOptions().find((o) => path === o.path || path.startsWith(`${o.path}.`));
  if (option === undefined) return `${path === '' ? 'the whole' : path} ${error.message}`;
  const unit = option.unit === '-' ? '' : ` (${option.unit})`;
  return `${option.path} must be ${expected(option)}${unit}`;
}

function expected(option: ConfigOption): string {
  switch (option.type) {
    case 'integer':
      return `a whole number from ${option.range}`;
    case 'strings':
      return `a list of strings: ${option.range}`;
    case 'auto or integer':
    case 'boolean':
      return option.range;
    case 'string':
      return option.allowed === undefined ? `a string: ${option.range}` : `one of ${option.range}`;
  }
}

/** The option or section that `unknown` may have been meant for. */
function nearest(unknown: string): string | undefined {
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
  return best.distance <= Math.max(2, Math.floor(unknown.length / 4)) ? best.name : undefined;
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
