/**
 * Every option of a node: the one list that the check, the environment, `--print-config` and
 * docs/config.md are made from or compared with.
 */

export interface ConfigOption {
  /** Section and key, such as `http.port`; `workers` stands alone. */
  readonly path: string;
  readonly type: 'integer' | 'boolean' | 'string' | 'strings' | 'auto or integer';
  readonly default: number | boolean | string | readonly string[];
  /** What a number counts; `-` for others. */
  readonly unit: string;
  /** What is allowed, for people. */
  readonly range: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly allowed?: readonly string[];
  readonly description: string;
}

const kib = 1024;
const mib = 1024 * kib;
const gib = 1024 * mib;
const tib = 1024 * gib;

function integer(
  path: string,
  value: number,
  unit: string,
  minimum: number,
  maximum: number,
  description: string,
): ConfigOption {
  const range = `${minimum} to ${maximum}`;
  return { path, type: 'integer', default: value, unit, range, minimum, maximum, description };
}

function flag(path: string, value: boolean, description: string): ConfigOption {
  return { path, type: 'boolean', default: value, unit: '-', range: 'true, false', description };
}

function choice(
  path: string,
  value: string,
  allowed: readonly string[],
  description: string,
): ConfigOption {
  const range = allowed.join(', ');
  return { path, type: 'string', default: value, unit: '-', range, allowed, description };
}

function strings(path: string, range: string, description: string): ConfigOption {
  return { path, type: 'strings', default: [], unit: '-', range, description };
}

const options: readonly ConfigOption[] = [
  integer('node.id', 1, '-', 1, 65_535, 'The number of this node in its cluster.'),
  {
    path: 'data.directory',
    type: 'string',
    default: 'data/node',
    unit: '-',
    range: 'a path, or :memory:',
    description:
      'Where the data lie, made when absent; relative to the working directory. `:memory:` keeps ' +
      'everything in memory and nothing after the stop.',
  },
  integer(
    'data.stores',
    4,
    'stores',
    1,
    64,
    'Into how many stores a new directory is divided; fixed when the directory is made. The ' +
      'most workers that can share the work.',
  ),
  integer(
    'data.mapSizeBytes',
    tib,
    'bytes',
    16 * mib,
    64 * tib,
    'Address space reserved for each store: the most it can hold. It costs no memory or disk.',
  ),
  {
    path: 'workers',
    type: 'auto or integer',
    default: 'auto',
    unit: 'threads',
    range: 'auto, 0 to 64',
    minimum: 0,
    maximum: 64,
    description:
      'Worker threads that the stores are divided among. 0 runs all on the main thread, which is ' +
      'what `auto` chooses on two cores or fewer; beyond, `auto` is one less than the cores, at ' +
      'most one for each store. It may change between starts.',
  },
  flag('http.enabled', true, 'Whether the node listens at all; an embedded node does not.'),
  {
    path: 'http.host',
    type: 'string',
    default: '127.0.0.1',
    unit: '-',
    range: 'an address or host name',
    description:
      'Address to listen on for HTTP and SQL over WebSocket. There are no passwords yet: leave it ' +
      'on loopback unless the network is trusted.',
  },
  integer('http.port', 7432, '-', 0, 65_535, 'Port to listen on; 0 takes any that is free.'),
  strings(
    'http.allowedOrigins',
    'origins such as https://app.example',
    'Web pages whose scripts may connect. A request with any other `Origin` is refused.',
  ),
  strings(
    'http.allowedHosts',
    'host names without port',
    'Names beside IP addresses, `localhost` and `http.host` that a request may give as `Host`.',
  ),
  integer('limits.connections', 1000, 'connections', 1, 100_000, 'SQL connections at once.'),
  integer(
    'limits.requestsInFlight',
    256,
    'requests',
    1,
    65_536,
    'Requests of one connection that were sent and not yet answered.',
  ),
  integer(
    'limits.frameBytes',
    16 * mib,
    'bytes',
    kib,
    256 * mib,
    'One WebSocket message from a client.',
  ),
  integer(
    'limits.connectionBufferBytes',
    16 * mib,
    'bytes',
    64 * kib,
    gib,
    'Answers that wait for a client that does not read, before it is disconnected.',
  ),
  integer(
    'limits.statementBytes',
    mib,
    'bytes',
    kib,
    16 * mib,
    'The text of a statement; at most about half of `limits.frameBytes`, as JSON escapes. Its ' +
      'syntax tree has a budget of `limits.statementMemoryBytes` too: of INSERTs of small values ' +
      'the text may have some 3 MB in 64 MiB. With `workers` 0 long texts are parsed on a thread ' +
      'that is thrown away, otherwise by the session itself.',
  ),
  integer(
    'limits.statementMemoryBytes',
    64 * mib,
    'bytes',
    64 * kib,
    64 * gib,
    'Memory for the sorts, groups and joins of one statement.',
  ),
  integer(
    'limits.sessionMemoryBytes',
    128 * mib,
    'bytes',
    64 * kib,
    64 * gib,
    'Memory of one session, with the changes of its open transaction.',
  ),
  integer(
    'limits.nodeMemoryBytes',
    512 * mib,
    'bytes',
    mib,
    1024 * gib,
    'Memory of all sessions of the node together.',
  ),
  integer(
    'limits.preparedStatements',
    1000,
    'statements',
    1,
    100_000,
    'Prepared statements of one session.',
  ),
  integer(
    'limits.planCacheBytes',
    32 * mib,
    'bytes',
    64 * kib,
    16 * gib,
    'Plans kept for statements seen before, of each store.',
  ),
  choice(
    'log.level',
    'info',
    ['debug', 'info', 'warn', 'error', 'silent'],
    'The least grave line that is logged. SIGUSR2 switches a running node to debug and back.',
  ),
  choice(
    'log.format',
    'auto',
    ['auto', 'human', 'json'],
    'Lines for people or JSON; `auto` is human on a terminal.',
  ),
  flag('log.parameters', false, 'Whether log lines about statements show their parameters.'),
  integer(
    'shutdown.drainMs',
    10_000,
    'ms',
    0,
    600_000,
    'How long a stop waits for statements and open transactions before they are rolled back.',
  ),
];

/** Every option, in the order of docs/config.md. */
export function configOptions(): readonly ConfigOption[] {
  return options;
}

/** The environment variable that overrides an option: `SHARDFORGE_HTTP_PORT` for `http.port`. */
export function environmentName(path: string): string {
  const words = path.replace(/([A-Z])/g, '_$1').replace('.', '_');
  return `SHARDFORGE_${words.toUpperCase()}`;
}
