/** Connecting to a node over the network. */
import { type Database, type DatabaseOptions, databaseOver } from './database.js';
import { clientError } from './errors.js';

/** Where to connect and as whom. */
export interface ConnectOptions extends DatabaseOptions {
  /** `127.0.0.1` by default. */
  readonly host?: string | undefined;
  /** 7432 by default. */
  readonly port?: number | undefined;
  /** What `current_user` shows. */
  readonly user?: string | undefined;
  readonly database?: string | undefined;
  /** Free text for the node's logs. */
  readonly applicationName?: string | undefined;
}

/**
 * Connects to a node.
 *
 * @example
 * const db = await connect('ws://127.0.0.1:7432');
 * const rows = await db.sql`select 1 as one`;
 * await db.close();
 *
 * @param target `ws://host:port`, `host:port`, or options
 * @throws ShardForgeError 08001 when nobody answers there, or what the node says against it
 */
export async function connect(
  target: string | ConnectOptions = {},
  options: ConnectOptions = {},
): Promise<Database> {
  const all = typeof target === 'string' ? options : target;
  const url = typeof target === 'string' ? parseUrl(target) : urlOf(all);
  const names = [
    ['user', all.user],
    ['database', all.database],
    ['application_name', all.applicationName],
  ] as const;
  for (const [name, value] of names) if (value !== undefined) url.searchParams.set(name, value);
  // An embedded database has no use for it, and loading it takes a while.
  const { webSocketDial } = await import('./websocket.js');
  try {
    return await databaseOver(webSocketDial(url.href), all);
  } catch (error) {
    if (!(error instanceof Error) || !('sqlstate' in error) || error.sqlstate !== '08001') {
      throw error;
    }
    throw clientError(
      'sqlclient_unable_to_establish_sqlconnection',
      `cannot connect to ${url.origin}: ${error.message}`,
      { hint: 'Is the node running? `npx shardforge` starts one.', cause: error },
    );
  }
}

function urlOf(options: ConnectOptions): URL {
  const { host = '127.0.0.1', port = 7432 } = options;
  return parseUrl(`ws://${host.includes(':') ? `[${host}]` : host}:${port}`);
}

const protocols: Readonly<Record<string, string>> = {
  'ws:': 'ws:',
  'wss:': 'wss:',
  'http:': 'ws:',
  'https:': 'wss:',
};

function parseUrl(text: string): URL {
  const given = /^[a-z]+:\/\//i.test(text) ? text : `ws://${text}`;
  let url: URL;
  try {
    url = new URL(given);
  } catch (cause) {
    throw badAddress(text, cause);
  }
  const protocol = protocols[url.protocol];
  if (protocol === undefined) throw badAddress(text, undefined);
  url.protocol = protocol;
  if (url.port === '' && !/:\d+($|\/|\?)/.test(given)) url.port = '7432';
  if (url.pathname === '/') url.pathname = '/sql';
  if (url.username !== '') {
    url.searchParams.set('user', decodeURIComponent(url.username));
    url.username = '';
    url.password = '';
  }
  return url;
}

function badAddress(text: string, cause: unknown): Error {
  return clientError('invalid_parameter_value', `not the address of a node: ${text}`, {
    hint: 'Write it as ws://127.0.0.1:7432.',
    cause,
  });
}
