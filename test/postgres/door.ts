/** A door for PostgreSQL's protocol with roles of the test's own, over the sessions of a node in memory. */
import { Metrics } from '#src/base/metrics.js';
import {
  type Accounts,
  makeVerifier,
  openPostgresDoor,
  Seats,
  ServerTls,
  SignIn,
  type SignInRule,
} from '#src/net/index.js';
import { checkConfig, startNode } from '#src/node/index.js';
import type { AuditEvent, Login } from '#src/sql/index.js';
import type { Files } from './certificates.js';

export const password = 'sésame, ouvre-toi';

export interface DoorOptions {
  readonly rules?: readonly SignInRule[];
  readonly certificate?: Files;
  readonly caFile?: string;
  readonly minimumVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
  readonly timeoutMs?: number;
  readonly connections?: number;
  /** How long each question about a role takes. */
  readonly delayMs?: number;
}

export interface TestDoor {
  readonly host: string;
  readonly port: number;
  readonly address: string;
  readonly tls: ServerTls | undefined;
  /** What was reported, in order. */
  readonly audited: readonly AuditEvent[];
  readonly logged: readonly string[];
  /** Sockets that are open. */
  connections(): number;
  close(): Promise<void>;
}

/** Everybody needs a password; there is role `admin`, a superuser, with {@link password}. */
export async function openDoor(options: DoorOptions = {}): Promise<TestDoor> {
  const config = checkConfig({
    data: { directory: ':memory:', mapSizeBytes: 1024 ** 3 },
    ...{ workers: 0, http: { enabled: false } },
  });
  const fatal = (error: Error): never => {
    throw error;
  };
  const node = await startNode(config, { log: () => undefined, fatal });
  const audited: AuditEvent[] = [];
  const logged: string[] = [];
  const log = (_level: string, event: string): void => {
    logged.push(event);
  };
  const {
    certificate,
    caFile = '',
    minimumVersion = 'TLSv1.2',
    ciphers = '',
    connections = 100,
  } = options;
  const files = certificate && {
    certificateFile: certificate.certificate,
    keyFile: certificate.key,
  };
  const tls = files && new ServerTls({ ...files, caFile, ciphers, minimumVersion }, log);
  const metrics = new Metrics();
  const door = await openPostgresDoor({
    ...{ host: '127.0.0.1', port: 0, log, tls, metrics, nowMs: Date.now },
    limits: { ...config.limits, connections },
    signInTimeoutMs: options.timeoutMs ?? 10_000,
    service: {
      notReady: () => undefined,
      refusal: () => undefined,
      connect: (connect, listener) => node.connect(listener, connect),
    },
    signIn: new SignIn({
      accounts: await accountsOf(audited, options.delayMs ?? 0),
      rules: options.rules ?? [],
      seats: new Seats({ connections, reservedConnections: 3 }),
      ...{ secret: () => Buffer.from('of the cluster'), nowMs: Date.now, log },
    }),
  });
  const [host = '', port = ''] = door.address.split(':');
  return {
    ...{ host, port: Number(port), address: door.address, tls, audited, logged },
    connections() {
      const open = metrics.snapshot().find(({ name }) => name === 'shardforge_connections');
      return open?.value ?? 0;
    },
    async close() {
      await door.drain(0);
      tls?.close();
      await node.stop(0);
    },
  };
}

async function accountsOf(audited: AuditEvent[], delayMs: number): Promise<Accounts> {
  const admin: Login = {
    ...{ role: 10, name: 'admin', verifier: await makeVerifier(password) },
    ...{ canLogin: true, superuser: true, memberOf: ['admin'], connectionLimit: -1 },
    ...{ validUntilMs: undefined, mayConnect: true, settings: {}, initial: false },
  };
  return {
    async find(name) {
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      return name === admin.name ? admin : undefined;
    },
    token: () => Promise.resolve(undefined),
    audit: (event) => audited.push(event),
  };
}
