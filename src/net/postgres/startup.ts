/** The first packets of a connection: what it wants, before any message. */
import { raise } from '../../base/errors.js';
import { protocolVersion } from './limits.js';
import { Body } from './reader.js';

const requestCodes = { cancel: 80_877_102, ssl: 80_877_103, gssEncryption: 80_877_104 } as const;
/** Of a key of cancellation, for the protocol from 3.2 on. */
const cancelKeyBytes = { minimum: 4, maximum: 256 } as const;

export interface StartupParameters {
  readonly user: string;
  readonly database: string;
  /** First settings of the session. */
  readonly settings: Readonly<Record<string, string>>;
}

export type StartupPacket =
  | ({
      readonly kind: 'start';
      /** The protocol that is spoken with the client. */
      readonly version: number;
      /** Options of the protocol that are not known here, where the client has to be told; undefined where not. */
      readonly unknown: readonly string[] | undefined;
    } & StartupParameters)
  | { readonly kind: 'tls' }
  /** Encryption by GSS, which is not there. */
  | { readonly kind: 'gss' }
  | { readonly kind: 'cancel'; readonly process: number; readonly secret: Buffer };

/** Reads a packet without its length. Raises 08P01, 28000, 0A000. */
export function readStartup(bytes: Buffer): StartupPacket {
  const body = new Body(bytes);
  const version = body.int32();
  if (version === requestCodes.ssl || version === requestCodes.gssEncryption) {
    body.end();
    return { kind: version === requestCodes.ssl ? 'tls' : 'gss' };
  }
  if (version === requestCodes.cancel) {
    const process = body.uint32();
    const secret = body.rest();
    if (secret.length >= cancelKeyBytes.minimum && secret.length <= cancelKeyBytes.maximum) {
      return { kind: 'cancel', process, secret };
    }
    return raise('protocol_violation', 'invalid length of cancel request packet');
  }
  if (version >> 16 !== protocolVersion >> 16) {
    const shown = `${version >> 16}.${version & 0xffff}`;
    const text = `unsupported frontend protocol ${shown}: server supports 3.0 to 3.2`;
    raise('feature_not_supported', text);
  }
  const given = readParameters(body);
  const options = [...given.keys()].filter((name) => name.startsWith('_pq_.'));
  const unknown = version > protocolVersion || options.length > 0 ? options : undefined;
  const spoken = Math.min(version, protocolVersion);
  return { kind: 'start', ...parametersOf(given), version: spoken, unknown };
}

function readParameters(body: Body): Map<string, string> {
  const given = new Map<string, string>();
  for (;;) {
    const name = body.string();
    if (name === '') break;
    if (body.isAtEnd) {
      const text = 'invalid startup packet layout: expected terminator as last byte';
      raise('protocol_violation', text);
    }
    given.set(name, body.string());
  }
  body.end();
  return given;
}

function parametersOf(given: ReadonlyMap<string, string>): StartupParameters {
  const user = given.get('user') ?? '';
  if (user === '') {
    const text = 'no PostgreSQL user name specified in startup packet';
    raise('invalid_authorization_specification', text);
  }
  const replication = given.get('replication') ?? 'false';
  if (!['false', 'off', 'no', '0'].includes(replication)) {
    raise('feature_not_supported', 'streaming replication is not supported');
  }
  const settings: Record<string, string> = { ...optionsOf(given.get('options') ?? '') };
  const others = new Set(['user', 'database', 'options', 'replication']);
  for (const [name, value] of given) {
    if (!others.has(name) && !name.startsWith('_pq_.')) settings[name] = value;
  }
  const database = given.get('database') ?? '';
  return { user, database: database === '' ? user : database, settings };
}

/** Settings in `options`, as on a command line: `-c name=value` and `--name=value`. */
function optionsOf(options: string): Record<string, string> {
  const words = options.match(/(?:\\.|\S)+/gs)?.map((word) => word.replace(/\\(.)/gs, '$1')) ?? [];
  const settings: Record<string, string> = {};
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? '';
    const alone = word === '-c';
    const pair = alone ? (words[i + 1] ?? '') : word.replace(/^(-c|--)/, '');
    if (alone) i += 1;
    const equals = pair.indexOf('=');
    if (!/^(-c|--)/.test(word) || equals < 1) {
      raise('syntax_error', `invalid command-line argument for server process: ${word}`);
    }
    settings[pair.slice(0, equals).replaceAll('-', '_')] = pair.slice(equals + 1);
  }
  return settings;
}
