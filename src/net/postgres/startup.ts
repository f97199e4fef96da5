/** The first packets of a connection: what it wants, before any message. */
import { raise } from '../../base/errors.js';
import { protocolVersion } from './limits.js';
import { Body } from './reader.js';

const requestCodes = { cancel: 80_877_102, ssl: 80_877_103, gssEncryption: 80_877_104 } as const;
const cancelBytes = 8;

export interface StartupParameters {
  readonly user: string;
  readonly database: string;
  /** First settings of the session. */
  readonly settings: Readonly<Record<string, string>>;
}

export type StartupPacket =
  | ({
      readonly kind: 'start';
      /** What of the packet is newer than the protocol that is spoken; undefined when nothing is. */
      readonly unknown: readonly string[] | undefined;
    } & StartupParameters)
  /** TLS or GSS is wanted, neither of which is there. */
  | { readonly kind: 'encrypt' }
  | { readonly kind: 'cancel'; readonly process: number; readonly secret: number };

/** Reads a packet without its length. Raises 08P01, 28000, 0A000. */
export function readStartup(bytes: Buffer): StartupPacket {
  const body = new Body(bytes);
  const version = body.int32();
  if (version === requestCodes.ssl || version === requestCodes.gssEncryption) {
    body.end();
    return { kind: 'encrypt' };
  }
  if (version === requestCodes.cancel) {
    if (bytes.length !== 4 + cancelBytes) raise('protocol_violation', 'invalid cancel request');
    return { kind: 'cancel', process: body.uint32(), secret: body.uint32() };
  }
  if (version >> 16 !== protocolVersion >> 16) {
    const shown = `${version >> 16}.${version & 0xffff}`;
    const text = `unsupported frontend protocol ${shown}: server supports 3.0 to 3.0`;
    raise('feature_not_supported', text);
  }
  const given = readParameters(body);
  const newer = [...given.keys()].filter((name) => name.startsWith('_pq_.'));
  const isNewer = version > protocolVersion || newer.length > 0;
  return { kind: 'start', ...parametersOf(given), unknown: isNewer ? newer : undefined };
}

function readParameters(body: Body): Map<string, string> {
  const given = new Map<string, string>();
  for (;;) {
    const name = body.string();
    if (name === '') break;
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
