/** Log lines of a node: for people on a terminal, JSON by pino otherwise. */
import type { LogLevel } from '../actors/index.js';
import type { Log } from '../net/index.js';
import type { LogThreshold, NodeConfig } from './config.js';

/** A log whose threshold can be changed while it is used. */
export interface NodeLog {
  readonly write: Log;
  threshold: LogThreshold;
}

export const logLevels: Readonly<Record<LogThreshold, number>> = {
  debug: 0,
  info: 1,
  warn: 2,
  error: 3,
  silent: 4,
};

const colours: Readonly<Record<LogLevel, string>> = {
  debug: '\x1b[2m',
  info: '\x1b[32m',
  warn: '\x1b[33m',
  error: '\x1b[31m',
};
const plain = '\x1b[0m';

/** Opens the log that `config` describes on standard output. */
export async function openLog(config: NodeConfig['log']): Promise<NodeLog> {
  const human = config.format === 'human' || (config.format === 'auto' && process.stdout.isTTY);
  const sink = human ? writeHuman : await jsonSink();
  const log = {
    threshold: config.level,
    write: ((level, event, fields = {}) => {
      if (logLevels[level] >= logLevels[log.threshold]) sink(level, event, shown(fields));
    }) satisfies Log,
  };
  return log;
}

/** Errors have no fields that JSON would show. */
function shown(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (!('error' in fields) || !(fields.error instanceof Error)) return fields;
  return { ...fields, error: fields.error.stack ?? fields.error.message };
}

type Sink = (level: LogLevel, event: string, fields: Readonly<Record<string, unknown>>) => void;

const writeHuman: Sink = (level, event, fields) => {
  const time = new Date().toISOString().slice(11, 23);
  const colour = process.stdout.isTTY ? colours[level] : '';
  const end = process.stdout.isTTY ? plain : '';
  const shown = Object.entries(fields).map(([name, value]) => `${name}=${printed(value)}`);
  const line = [`${time} ${colour}${level.padEnd(5)}${end} ${event}`, ...shown].join('  ');
  process.stdout.write(`${line}\n`);
};

function printed(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return String(value);
}

/** pino is loaded only where it is used; its own level lets everything pass. */
async function jsonSink(): Promise<Sink> {
  const { default: pino } = await import('pino');
  const formatters = { level: (label: string) => ({ level: label }) };
  const logger = pino(
    { level: 'debug', base: { pid: process.pid }, messageKey: 'event', formatters },
    pino.destination({ dest: 1, sync: true }),
  );
  return (level, event, fields) => logger[level](fields, event);
}
