/**
 * Every option of a node: the one list that the check, the environment, `--print-config` and
 * docs/config.md are made from or compared with.
 */
import { defaultClusterLimits } from '../cluster/index.js';
import { defaultRaftTiming, packings } from '../shard/index.js';

export interface ConfigOption {
  /** Section and key, such as `http.port`; `workers` stands alone. */
  readonly path: string;
  readonly type: 'integer' | 'boolean' | 'string' | 'strings' | 'auto or integer' | 'rules';
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

const { leaseMs } = defaultRaftTiming;
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

/** A text that may be left out; its default is the empty text. */
function text(path: string, range: string, description: string): ConfigOption {
  return { path, type: 'string', default: '', unit: '-', range, description };
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
      'Address to listen on for HTTP and SQL over WebSocket. Beyond loopback it needs `tls.certificateFile`, or ' +
      '`security.allowInsecure` must name `http.host`.',
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
  flag(
    'postgres.enabled',
    false,
    "Whether the node listens for clients of PostgreSQL's wire protocol.",
  ),
  {
    path: 'postgres.host',
    type: 'string',
    default: '127.0.0.1',
    unit: '-',
    range: 'an address or host name',
    description:
      'Address to listen on for clients of PostgreSQL. Beyond loopback it needs `tls.certificateFile`, or ' +
      '`security.allowInsecure` must name `postgres.host`.',
  },
  integer('postgres.port', 7433, '-', 0, 65_535, 'Port for them; 0 takes any that is free.'),
  text(
    'tls.certificateFile',
    'a path',
    'The certificate (PEM, with those between it and its authority) that clients are shown; without one ' +
      'no connection is encrypted, with one those of HTTP and WebSocket always are. Files of `tls` that change are read again within 5 s.',
  ),
  text('tls.keyFile', 'a path', "The certificate's private key (PEM)."),
  text(
    'tls.caFile',
    'a path',
    'The authority (PEM) of the certificates by which clients sign in. Without one they are asked for none.',
  ),
  text(
    'tls.ciphers',
    "a list as OpenSSL's, such as TLS_AES_256_GCM_SHA384:ECDHE+AESGCM",
    "Cipher suites that are taken, the best first; Node's own when empty.",
  ),
  choice('tls.minimumVersion', 'TLSv1.2', ['TLSv1.2', 'TLSv1.3'], 'The oldest TLS that is spoken.'),
  {
    path: 'auth.rules',
    type: 'rules',
    default: [],
    unit: '-',
    range: 'a list of rules; in the environment as JSON',
    description:
      'Who has to prove what, by `databases`, `users`, `addresses` and `transport`; the first rule that fits ' +
      'decides: see [operations.md](operations.md). Without rules everybody needs a password, and TLS beyond loopback.',
  },
  integer(
    'auth.timeoutMs',
    60_000,
    'ms',
    100,
    600_000,
    'How long a client may take to sign in. A TLS handshake may take as long before.',
  ),
  text(
    'admin.password',
    'a password, or its SCRAM-SHA-256 verifier',
    'The password of role `admin`, set when the database is made and not looked at afterwards. Without one ' +
      'a password is made up and written to `initial-admin-password` in `data.directory`.',
  ),
  text('admin.passwordFile', 'a path', 'The file whose first line is that password.'),
  strings(
    'security.allowInsecure',
    '`http.host`, `postgres.host`, names of rules',
    'What is let pass though others can read or do what they should not: a host beyond loopback without TLS, ' +
      'a rule of `auth.rules` that trusts other machines.',
  ),
  flag(
    'mesh.enabled',
    false,
    'Whether the node talks to other nodes. A directory that was made with it belongs to no cluster ' +
      'until one is formed; without it the node is a cluster of its own.',
  ),
  {
    path: 'mesh.host',
    type: 'string',
    default: '127.0.0.1',
    unit: '-',
    range: 'an address or host name',
    description: 'Address to listen on for other nodes.',
  },
  integer('mesh.port', 7434, '-', 0, 65_535, 'Port to listen on for other nodes; 0 takes any.'),
  text(
    'mesh.advertise',
    'host:port',
    'Where other nodes reach this one, as `cluster.seeds` spells it; `mesh.host` and `mesh.port` when empty.',
  ),
  choice(
    'mesh.security',
    'loopback',
    ['loopback', 'secret', 'tls'],
    'How nodes know each other: `loopback` trusts every process of this machine and listens nowhere ' +
      'else, `secret` proves a shared secret, `tls` is mutual TLS 1.3.',
  ),
  text('mesh.secretFile', 'a path', 'The file with the shared secret, for `secret`.'),
  text('mesh.certificateFile', 'a path', "This node's certificate (PEM), for `tls`."),
  text('mesh.keyFile', 'a path', "The certificate's private key (PEM), for `tls`."),
  text(
    'mesh.caFile',
    'a path',
    'The authority that has signed the certificates of all nodes (PEM), for `tls`.',
  ),
  integer(
    'mesh.bulkBytesPerSecond',
    0,
    'bytes/s',
    0,
    gib,
    'The most that snapshots and other bulk may send to one other node; 0 is no limit.',
  ),
  choice(
    'mesh.snapshotCompression',
    'brotli',
    packings,
    'How this node compresses the snapshots that it sends to members that lag. Nodes may differ in ' +
      'it. `none` saves a millisecond for each 256 KiB and sends four times the bytes.',
  ),
  strings(
    'cluster.seeds',
    'addresses host:port',
    'The nodes that form a new cluster together, this one among them: the same list on all. They ' +
      'form it once all are there and empty; later the list does no harm.',
  ),
  strings(
    'cluster.join',
    'addresses host:port',
    'Members of a cluster that an empty node joins, each tried in turn; `--join` sets it too.',
  ),
  integer(
    'cluster.checkIntervalMs',
    defaultClusterLimits.checkIntervalMs,
    'ms',
    0,
    7 * 86_400_000,
    'How often the leader compares what the replicas hold and has every checksum verified, a piece at a ' +
      'time. A node alone verifies its checksums. 0 is never.',
  ),
  choice(
    'cluster.role',
    'voter',
    ['voter', 'learner', 'witness'],
    'What this node becomes when it joins: a `learner` gets the data and does not vote, a `witness` ' +
      'votes and keeps no data. Seeds that form a cluster are voters, witnesses among them.',
  ),
  integer(
    'raft.heartbeatMs',
    50,
    'ms',
    5,
    10_000,
    'How often a leader and a node show that they live.',
  ),
  integer(
    'raft.electionMsMin',
    150,
    'ms',
    leaseMs,
    60_000,
    'Without a leader for a time drawn between this and `raft.electionMsMax` a member campaigns. At ' +
      'least the lease under which a leader reads by itself, which is the same for all nodes and fixed.',
  ),
  integer('raft.electionMsMax', 300, 'ms', leaseMs, 120_000, 'See `raft.electionMsMin`.'),
  integer(
    'raft.clockDriftPerMille',
    50,
    '1/1000',
    0,
    500,
    'By how much the clocks of two nodes may differ in rate; the lease is shortened by it.',
  ),
  flag('raft.leaseReads', true, 'Read under the lease; otherwise every read asks a majority.'),
  integer(
    'raft.hibernateMs',
    1000,
    'ms',
    0,
    3_600_000,
    'Without anything to replicate for so long a shard stops its heartbeats; 0 never.',
  ),
  integer('limits.connections', 1000, 'connections', 1, 100_000, 'SQL connections at once.'),
  integer(
    'limits.reservedConnections',
    3,
    'connections',
    0,
    1000,
    'Of `limits.connections`, those that only superusers take, so that somebody can look at a node that is full; ' +
      'never all of them.',
  ),
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
    'limits.temporaryFileBytes',
    4 * gib,
    'bytes',
    mib,
    1024 * gib,
    'Temporary files of all statements of a store: sorts, groups, joins and windows go over to them when ' +
      'one holds an eighth of `limits.statementMemoryBytes`. A node in memory has none.',
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
  strings(
    'copy.directories',
    'absolute paths',
    'Directories of this machine whose files `COPY ... FROM` and `TO` may name, by any client. Without ' +
      'one only `STDIN` and `STDOUT` are taken.',
  ),
  choice(
    'log.level',
    'info',
    ['debug', 'info', 'warn', 'error', 'silent'],
    'The least grave line that is logged. `shardforge node log LEVEL` changes it on a running node.',
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
