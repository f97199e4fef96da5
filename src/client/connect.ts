/** Connecting to a node over the network. */
import { Addresses } from './addresses.js';
import { type Database, type DatabaseOptions, databaseOver } from './database.js';
import { clientError } from './errors.js';
import type { Dial } from './transport.js';
import type { Identification, TlsOptions } from './websocket.js';

/** Where to connect and as whom. */
export interface ConnectOptions extends DatabaseOptions {
  /** `127.0.0.1` by default. */
  readonly host?: string | undefined;
  /** 7432 by default. */
  readonly port?: number | undefined;
  /** The role to sign in as; `admin` by default. */
  readonly user?: string | undefined;
  /** Its password; it is sent to `wss://` addresses and to this machine only. */
  readonly password?: string | undefined;
  /** An API token, in place of user and password; it is sent where a password would be. */
  readonly token?: string | undefined;
  /** Certificates for `wss://` addresses. */
  readonly tls?: TlsOptions | undefined;
  readonly database?: string | undefined;
  /** Free text for the node's logs. */
  readonly applicationName?: string | undefined;
}

/**
 * Connects to a node, or to a cluster by some of its nodes: then the leader is preferred, and another
 * node takes over when one fails.
 *
 * @example
 * const db = await connect('ws://127.0.0.1:7432');
 * const rows = await db.sql`select 1 as one`;
 * await db.close();
 *
 * @param target `ws://host:port`, `host:port`, several of them, or options
 * @throws ShardForgeError 08001 when nobody answers there, or what the node says against it
 */
export async function connect(
  target: string | readonly string[] | ConnectOptions = {},
  options: ConnectOptions = {},
): Promise<Database> {
  const texts = typeof target === 'string' ? [target] : isTexts(target) ? target : undefined;
  const all = texts === undefined ? (target as ConnectOptions) : options;
  const urls = texts === undefined ? [urlOf(all)] : texts.map(parseUrl);
  if (urls.length === 0) throw badAddress('', undefined);
  const identification = identificationOf(urls, all);
  const names = [
    ['user', identification.user],
    ['database', all.database],
    ['application_name', all.applicationName],
  ] as const;
  for (const url of urls) {
    for (const [name, value] of names) if (value !== undefined) url.searchParams.set(name, value);
  }
  // An embedded database has no use for it, and loading it takes a while.
  const { webSocketDial } = await import('./websocket.js');
  try {
    const { password, token, ...others } = identification;
    // A node may name another, which is reached in plain over a network.
    const dialOf = (href: string): Dial =>
      webSocketDial(href, {
        ...others,
        ...(isSafe(new URL(href))
          ? { password, token }
          : { password: undefined, token: undefined }),
      });
    return await databaseOver(addressesOf(urls, dialOf), all);
  } catch (error) {
    if (!(error instanceof Error) || !('sqlstate' in error) || error.sqlstate !== '08001') {
      throw error;
    }
    throw clientError(
      'sqlclient_unable_to_establish_sqlconnection',
      `cannot connect to ${urls.map(({ origin }) => origin).join(', ')}: ${error.message}`,
      { hint: 'Is the node running? `npx shardforge` starts one.', cause: error },
    );
  }
}

/** By the options, else by the first address that names somebody. */
function identificationOf(urls: readonly URL[], options: ConnectOptions): Identification {
  const named = urls.find(({ username }) => username !== '');
  const given = named === undefined ? undefined : decodeURIComponent(named.username);
  const secret = named?.password === '' ? undefined : named?.password;
  const { user = given ?? defaultUser, token, tls } = options;
  const { password = secret === undefined ? undefined : decodeURIComponent(secret) } = options;
  if (password !== undefined && token !== undefined) {
    throw clientError('invalid_parameter_value', 'a password and a token: give one of them');
  }
  const secretName = token === undefined ? 'password' : 'token';
  for (const url of urls) {
    url.username = '';
    url.password = '';
    if ((password ?? token) !== undefined && !isSafe(url)) {
      throw clientError(
        'invalid_parameter_value',
        `a ${secretName} for ${url.host} would be readable`,
        {
          hint: 'Use a wss:// address; the node needs tls.certificateFile.',
        },
      );
    }
  }
  return { user, password, token, tls };
}

const defaultUser = 'admin';

/** Whether nobody on the way can read what is sent. */
function isSafe({ protocol, hostname }: URL): boolean {
  const isThisMachine = /^(localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(hostname);
  return protocol === 'wss:' || isThisMachine;
}

function isTexts(target: readonly string[] | ConnectOptions): target is readonly string[] {
  return Array.isArray(target);
}

/** Each node once. A leader that is none of them is dialled as they are. */
function addressesOf(urls: readonly URL[], dialOf: (href: string) => Dial): Addresses {
  const byName = new Map(urls.map((url) => [url.origin, url]));
  const addresses = [...byName].map(([name, url]) => ({ name, dial: dialOf(url.href) }));
  return new Addresses(addresses, (text) => {
    let url: URL;
    try {
      url = parseUrl(text);
    } catch {
      return undefined;
    }
    const [pattern] = urls;
    url.search = pattern?.search ?? '';
    url.protocol = pattern?.protocol ?? url.protocol;
    return { name: url.origin, dial: dialOf(url.href) };
  });
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
  return url;
}

function badAddress(text: string, cause: unknown): Error {
  return clientError('invalid_parameter_value', `not the address of a node: ${text}`, {
    hint: 'Write it as ws://127.0.0.1:7432.',
    cause,
  });
}
