/** Whoever fails to sign in is told what PostgreSQL 15 would have told, word by word. */
import t from 'tap';
import { TestAuthority } from './postgres/certificates.js';
import { openDoor, password } from './postgres/door.js';
import { noPostgres } from './postgres/real.js';
import { refusalsOf, startWithPassword } from './postgres/refusals.js';

t.setTimeout(120_000);

t.test('refusals are those of PostgreSQL', { skip: noPostgres() ?? false }, async (t) => {
  const authority = await TestAuthority.make();
  const certificate = await authority.sign('localhost', 'server');
  const real = await startWithPassword(certificate, password);
  t.teardown(() => real.stop());
  const door = await openDoor({ certificate });
  t.teardown(() => door.close());
  for (const encrypted of [false, true]) {
    const theirs = await refusalsOf({ address: real.address, password }, encrypted);
    const ours = await refusalsOf({ address: door.address, password }, encrypted);
    t.same(ours, theirs, encrypted ? 'over TLS' : 'without TLS');
    t.match(theirs['another password'], /^FATAL \| 28P01 \| password authentication failed/);
  }
});
