/** Mutual TLS 1.3 between nodes, with certificates made by `shardforge cert`. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import t, { type Test } from 'tap';
import {
  certificateNames,
  isLoopback,
  type MeshSecurity,
  openAuthorityTools,
} from '#src/net/security/index.js';
import { closeAll, HandClock, link, metric, type Node, openNode, send, until } from './meshes.js';

const command = new URL('../../../dist/cli/bin.js', import.meta.url).pathname;

function cert(...args: readonly string[]): { readonly code: number; readonly output: string } {
  const done = spawnSync(process.execPath, [command, 'cert', ...args], { encoding: 'utf8' });
  return { code: done.status ?? -1, output: done.stdout + done.stderr };
}

function temporary(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'shardforge-cert-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return directory;
}

function tls(directory: string, node: number): { readonly security: MeshSecurity } {
  return {
    security: {
      kind: 'tls',
      certificateFile: join(directory, `node-${node}.pem`),
      keyFile: join(directory, `node-${node}-key.pem`),
      caFile: join(directory, 'ca.pem'),
    },
  };
}

t.test('shardforge cert', async (t) => {
  const directory = join(temporary(t), 'new');
  const at = ['--directory', directory];
  t.match(cert('node', '1', ...at), { code: 2, output: /cert ca/ });
  t.equal(cert('ca', ...at).code, 0);
  t.equal(cert('node', '1', ...at, '--host', 'db.example,127.0.0.1', '--days', '10').code, 0);
  for (const key of ['ca-key.pem', 'node-1-key.pem']) {
    t.equal(statSync(join(directory, key)).mode & 0o777, 0o600, `${key} is for its owner`);
  }
  const file = join(directory, 'node-1.pem');
  const before = readFileSync(file, 'utf8');
  t.match(cert('node', '1', ...at), { code: 2, output: /--force/ });
  t.equal(readFileSync(file, 'utf8'), before);
  t.equal(cert('node', '1', ...at, '--force').code, 0);
  t.not(readFileSync(file, 'utf8'), before);
  writeFileSync(join(directory, 'ca-key.pem'), 'no key');
  t.equal(cert('node', '3', ...at).code === 0, false);
  t.notOk(existsSync(join(directory, 'node-3.pem')));
});

t.test('whom a certificate names, and what is loopback', async (t) => {
  t.ok(certificateNames({ subject: { CN: 'node-2' } }, 2));
  t.ok(certificateNames({ subject: { CN: 'x' }, subjectaltname: 'DNS:node-2.db.example' }, 2));
  t.notOk(certificateNames({ subject: { CN: 'node-21' }, subjectaltname: 'DNS:node-22' }, 2));
  t.notOk(certificateNames({ subjectaltname: 'IP Address:127.0.0.1, URI:node-2' }, 2));
  t.notOk(certificateNames({}, 2));
  for (const address of [
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '[::1]',
    '::ffff:127.0.0.1',
    'localhost',
  ]) {
    t.ok(isLoopback(address), address);
  }
  for (const address of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example', '', '::ffff:10.0.0.1']) {
    t.notOk(isLoopback(address), address);
  }
});

const valid = {
  notBefore: new Date(Date.now() - 1e7),
  notAfter: new Date(Date.now() + 1e9),
};

/** An authority and the certificates of these nodes. */
async function authority(directory: string, ...nodes: readonly number[]): Promise<void> {
  const { makeAuthority } = await openAuthorityTools();
  const made = await makeAuthority('test', valid);
  writeFileSync(join(directory, 'ca.pem'), made.certificate);
  writeFileSync(join(directory, 'ca-key.pem'), made.key);
  for (const node of nodes) await certificate(directory, node, valid);
}

async function certificate(directory: string, node: number, validity: typeof valid): Promise<void> {
  const { makeNodeCertificate } = await openAuthorityTools();
  const signer = {
    certificate: readFileSync(join(directory, 'ca.pem'), 'utf8'),
    key: readFileSync(join(directory, 'ca-key.pem'), 'utf8'),
  };
  const made = await makeNodeCertificate(signer, { node, hosts: [], ...validity });
  writeFileSync(join(directory, `node-${node}.pem`), made.certificate);
  writeFileSync(join(directory, `node-${node}-key.pem`), made.key);
}

/** It goes on dialing in vain, and the other side goes on. */
async function neverLinks(t: Test, a: Node, b: Node): Promise<void> {
  a.mesh.setPeers([{ address: b.mesh.address, node: undefined }]);
  const refusals = (): number => metric(a, 'refusals_total') + metric(b, 'refusals_total');
  await until('it was refused twice', () => refusals() >= 2 && metric(a, 'dials_total') >= 3);
  t.same([a.mesh.peers(), b.mesh.peers()], [[], []]);
  await a.mesh.close();
}

t.test('nodes with certificates of one authority talk; all others do not', async (t) => {
  t.teardown(closeAll);
  const directory = temporary(t);
  const other = temporary(t);
  await authority(directory, 1, 2, 3);
  await authority(other, 2);
  const one = await openNode(1, tls(directory, 1));
  const two = await openNode(2, tls(directory, 2));
  await link(two, one);
  send(two, one, 1);
  send(one, two, 2, { priority: 'low' });
  await until('both are heard', () => one.heard.length === 1 && two.heard.length === 1);
  await two.mesh.close();
  await until('the link is gone', () => one.mesh.peers().length === 0);

  await t.test('a certificate of another authority', async (t) => {
    await neverLinks(t, await openNode(2, tls(other, 2)), one);
  });
  await t.test('one whose server is of another authority', async (t) => {
    await neverLinks(t, await openNode(3, tls(directory, 3)), await openNode(2, tls(other, 2)));
  });
  await t.test('the certificate of another node', async (t) => {
    await neverLinks(t, await openNode(2, tls(directory, 3)), one);
    t.ok(metric(one, 'refusals_total', { reason: 'certificate' }) >= 1);
  });
  await t.test('an expired certificate', async (t) => {
    await certificate(directory, 7, {
      notBefore: new Date(Date.now() - 2e8),
      notAfter: new Date(Date.now() - 1e8),
    });
    await neverLinks(t, await openNode(7, tls(directory, 7)), one);
  });
  await t.test('no TLS, old TLS and no certificate', async (t) => {
    await neverLinks(t, await openNode(2), one);
    const [host = '', port] = one.mesh.address.split(':');
    for (const options of [{ maxVersion: 'TLSv1.2' }, {}] as const) {
      const before = metric(one, 'refusals_total', { reason: 'unauthenticated' });
      const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ...options });
      socket.on('error', () => undefined);
      await until(
        'it is refused',
        () => metric(one, 'refusals_total', { reason: 'unauthenticated' }) > before,
      );
      socket.destroy();
    }
  });
  const friend = await openNode(2, tls(directory, 2));
  await link(friend, one);
});

t.test('certificates change while the node runs', async (t) => {
  t.teardown(closeAll);
  const directory = temporary(t);
  const next = temporary(t);
  for (const where of [directory, next]) await authority(where, 1, 2);
  const one = await openNode(1, tls(directory, 1));
  const two = await openNode(2, tls(next, 2));
  await neverLinks(t, two, one);
  writeFileSync(join(directory, 'node-1.pem'), 'half a file');
  t.throws(() => one.mesh.reload(), { kind: 'config_invalid', message: /mesh/ });
  for (const file of ['ca.pem', 'node-1.pem', 'node-1-key.pem']) {
    renameSync(join(next, file), join(directory, file));
  }
  writeFileSync(join(next, 'ca.pem'), readFileSync(join(directory, 'ca.pem')));
  one.mesh.reload();
  const fresh = await openNode(2, tls(next, 2));
  await link(fresh, one);
});

t.test('files that change are found by looking, and half a file changes nothing', async (t) => {
  t.teardown(closeAll);
  const directory = temporary(t);
  await authority(directory, 1);
  const clock = new HandClock(0);
  const node = await openNode(1, { ...tls(directory, 1), clock });
  const look = (): string[] => {
    node.logged.length = 0;
    clock.ms += 5000;
    clock.tick();
    return node.logged.map(({ event }) => event);
  };
  t.same(look(), []);
  const file = join(directory, 'node-1.pem');
  const good = readFileSync(file);
  writeFileSync(file, good.subarray(0, 100));
  t.same(look(), ['mesh.not_reloaded']);
  t.same(look(), [], 'said once');
  writeFileSync(file, Buffer.concat([good, Buffer.from('\n')]));
  t.same(look(), ['mesh.reloaded']);
  await certificate(directory, 2, valid);
  await link(await openNode(2, tls(directory, 2)), node);
});
