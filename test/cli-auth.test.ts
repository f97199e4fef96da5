/** `shardforge auth` and the options of who signs in, run as a user runs them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import t from 'tap';
import { must } from '#src/base/assert.js';
import { program } from '#src/cli/index.js';
import { askPassword } from '#src/cli/password.js';
import { connect } from '#src/client/index.js';
import { wireNode } from './postgres/nodes.js';

t.setTimeout(240_000);

const folder = mkdtempSync(join(tmpdir(), 'shardforge-cli-auth-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs the command; no variable of whoever runs the test says who signs in. */
async function shardforge(args: readonly string[], env = {}): Promise<Ended> {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('SHARDFORGE_'));
  const child = spawn(process.execPath, [resolve('dist/cli/bin.js'), ...args], {
    env: { ...Object.fromEntries(clean), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const collected = { output: '', errors: '' };
  child.stdout.on('data', (chunk) => {
    collected.output += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    collected.errors += String(chunk);
  });
  await once(child, 'close');
  return { code: child.exitCode, ...collected };
}

function secret(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const password = 'of the test';
const { node } = await wireNode({
  ...{ http: { port: 0 }, admin: { password } },
  auth: { rules: [{ addresses: ['loopback'], method: 'scram-sha-256' }] },
});
t.teardown(() => node.stop(0));
const url = `ws://${must(node.addresses[0], 'it listens')}`;
const asAdmin = { SHARDFORGE_URL: url, SHARDFORGE_PASSWORD: password };

const auth = (...args: string[]): Promise<Ended> => shardforge(['auth', ...args], asAdmin);

/** What a user gets to see who runs a statement. */
const sql = (user: string, file: string, statement: string): Promise<Ended> =>
  shardforge(['sql', '--user', user, '--password-file', file, '-c', statement], {
    SHARDFORGE_URL: url,
  });

t.test('a user is made, signs in and goes', async (t) => {
  const file = secret('ada', "it's ada\nnot this line\n");
  const create = ['user', 'create', '--username', 'Ada "A"', '--new-password-file', file];
  t.same(await auth(...create), { code: 0, output: 'created user Ada "A"\n', errors: '' });
  const who = await sql('Ada "A"', file, 'select current_user as me');
  t.match(who, { code: 0, output: 'Ada "A"' });
  const wrong = await sql('Ada "A"', secret('wrong', 'other\n'), 'select 1');
  t.match(wrong, { output: '', errors: /28P01/ });
  t.not(wrong.code, 0);
  t.match(await auth(...create), { code: 1, output: '', errors: /^ERROR 42710: .*already exists/ });

  const admin = await connect(url, { password });
  t.teardown(() => admin.close());
  const kept = await admin.query<{ rolpassword: string }>(
    `select rolpassword from pg_authid where rolname = 'Ada "A"'`,
  );
  t.match(kept[0]?.rolpassword, /^SCRAM-SHA-256\$/);

  const boss = await shardforge(
    [
      'auth',
      'user',
      'create',
      '--username',
      'boss',
      '--json',
      '--role',
      'superuser',
      '--role',
      'pg_monitor',
    ],
    { ...asAdmin, SHARDFORGE_NEW_PASSWORD: 'b0ss' },
  );
  t.same(JSON.parse(boss.output), {
    ...{ created: 'user', name: 'boss', superuser: true, memberOf: ['pg_monitor'], password: true },
  });
  t.match(await sql('boss', secret('boss', 'b0ss'), 'create role made_by_boss'), { code: 0 });
  t.match(await auth('user', 'create', '--username', 'mute'), {
    ...{ code: 0, output: 'created user mute without a password\n' },
  });

  const listed = await auth('user', 'list');
  t.match(listed.output, /^ +name +\| superuser \|/);
  t.match(listed.output, /boss +\| yes +\| .*\| pg_monitor\n/);
  const asJson = JSON.parse((await auth('user', 'list', '--json')).output);
  t.match(asJson, [
    { name: 'Ada "A"', superuser: false, memberOf: [] },
    { name: 'admin', superuser: true },
    { name: 'boss', superuser: true, memberOf: ['pg_monitor'] },
    { name: 'mute', superuser: false },
  ]);
  t.equal(asJson.length, 4);
  for (const name of ['boss', 'mute', 'Ada "A"']) {
    t.equal((await auth('user', 'drop', '--username', name)).output, `dropped user ${name}\n`);
  }
  t.match(await auth('user', 'drop', '--username', 'boss'), { code: 1, errors: /^ERROR 42704/ });
});

t.test('a role and its rights', async (t) => {
  const admin = await connect(url, { password });
  t.teardown(() => admin.close());
  await admin.query('create table reports (id int)');
  await admin.query('create table "Odd; name" (id int)');
  const file = secret('eve', 'eve');
  const role = ['role', 'create', '--name', 'analyst', '--privileges', 'select, INSERT'];
  t.match(await auth(...role), {
    ...{ code: 0, output: 'created role analyst with SELECT, INSERT on tables of schema public\n' },
  });
  await admin.query('create table later (id int)');
  await auth(
    'user',
    'create',
    '--username',
    'eve',
    '--role',
    'analyst',
    '--new-password-file',
    file,
  );
  const eve = async (statement: string): Promise<string> => {
    const { code, errors } = await sql('eve', file, statement);
    return code === 0 ? 'ok' : (/ERROR (\w+)/.exec(errors)?.[1] ?? errors);
  };
  t.equal(await eve('insert into reports values (1); select * from reports'), 'ok');
  t.equal(await eve('insert into later values (1)'), 'ok', 'by default privileges');
  t.equal(await eve('delete from reports'), '42501');
  t.match((await auth('role', 'list', '--json')).output, '"name": "analyst"');

  const rights = (verb: string, ...more: string[]): Promise<Ended> =>
    auth(verb, '--role', 'analyst', '--database', 'shardforge', ...more);
  t.match(await rights('grant', '--table', 'public.reports', '--privileges', 'delete'), {
    ...{ code: 0, errors: '' },
    output: 'granted DELETE on table public.reports of database shardforge to analyst\n',
  });
  t.equal(await eve('delete from reports'), 'ok');
  t.match(await rights('revoke', '--table', 'Odd; name'), { code: 0 });
  t.equal(await eve('select * from "Odd; name"'), '42501');
  t.equal((await rights('grant', '--table', 'Odd; name')).code, 0);
  t.equal(await eve('select * from "Odd; name"'), 'ok', 'SELECT without --privileges');
  t.equal((await rights('revoke', '--all-tables')).code, 0);
  t.equal(await eve('select * from reports'), '42501');
  const json = await rights('grant', '--privileges', 'create', '--json');
  t.same(JSON.parse(json.output), {
    ...{ granted: ['CREATE'], role: 'analyst', database: 'shardforge', table: null },
    allTables: false,
  });
  t.equal(await eve('create schema of_eve'), 'ok', 'a right on the database');

  t.match(await auth('role', 'drop', '--name', 'analyst'), { code: 1, errors: /^ERROR 2BP01/ });
  t.match(await auth('role', 'drop', '--name', 'analyst', '--reassign'), { code: 0 });
  t.notMatch((await auth('role', 'list')).output, 'analyst');
});

t.test('nothing that is given becomes a statement', async (t) => {
  const admin = await connect(url, { password });
  t.teardown(() => admin.close());
  await admin.query('create table treasure (id int)');
  const nasty = 'x"; DROP TABLE treasure; --';
  const create = ['auth', 'user', 'create', '--username', nasty];
  const env = { ...asAdmin, SHARDFORGE_NEW_PASSWORD: "'; DROP TABLE treasure; --" };
  t.match(await shardforge([...create, '--role', `${nasty}2`], env), {
    ...{ code: 1, errors: 'ERROR 42704: role "x"; DROP TABLE treasure; --2" does not exist' },
  });
  t.match(await shardforge(create, env), { code: 0, output: `created user ${nasty}\n` });
  const grant = ['grant', '--role', nasty, '--database', 'shardforge'];
  t.match(await auth(...grant, '--table', nasty), { code: 1, errors: /^ERROR 42P01/ });
  t.equal((await auth(...grant)).code, 0);
  t.match(await auth('grant', '--role', nasty, '--database', nasty), { errors: /^ERROR 3D000/ });
  t.match(await auth(...grant, '--privileges', 'SELECT ON treasure TO PUBLIC; --'), {
    ...{ code: 2, output: '', errors: /is no privilege/ },
  });
  t.match(await auth('role', 'create', '--name', ''), { code: 1, errors: /^ERROR 22023/ });
  t.same(await admin.query('select * from treasure'), []);
  const dropped = await auth('user', 'drop', '--username', nasty, '--reassign');
  t.match(dropped, { code: 0, output: `dropped user ${nasty}\n` });
});

t.test('mistakes on the command line', async (t) => {
  t.match(await auth('user', 'create'), { code: 2, errors: /--username/ });
  t.match(await auth('grant', '--role', 'a', '--database', 'd', '--table', 't', '--all-tables'), {
    ...{ code: 2, errors: /cannot be used with/ },
  });
  t.match(await auth('user', 'list', '--password-file', join(folder, 'none')), {
    ...{ code: 2, errors: /cannot be read/ },
  });
  t.match(await auth('user', 'list', '--password-file', secret('empty', '\nx')), {
    ...{ code: 2, errors: /begins with no password/ },
  });
  t.match(await auth('user', 'list', '--url', 'ws://127.0.0.1:1'), { code: 3, errors: /08001/ });
  const help = await auth('role', 'create', '--help');
  t.match(
    help.output.replace(/\s+/g, ' '),
    /on all tables of schema public, and by default privileges/,
  );
});

t.test('an API token in place of user and password', async (t) => {
  const admin = await connect(url, { password });
  t.teardown(() => admin.close());
  const file = secret('robot', 'robot');
  await admin.query("create role robot login password 'robot'");
  const [made] = await admin.query<{ token: string }>(
    `select shardforge.create_api_token('of the test', '1 day', 'robot') as token`,
  );
  const env = { SHARDFORGE_URL: url, SHARDFORGE_TOKEN: must(made, 'a row').token };
  const who = ['sql', '--format', 'csv', '-c', 'select current_user as me'];
  t.same(await shardforge(who, env), { code: 0, output: 'me\nrobot\n', errors: '' });
  const both = await shardforge(who, { ...env, SHARDFORGE_PASSWORD: 'robot' });
  t.match(both, { code: 2, output: '', errors: /a password and a token/ });
  const wrong = { ...env, SHARDFORGE_TOKEN: 'sf_wrong' };
  t.match(await shardforge([...who, '--user', 'robot', '--password-file', file], wrong), {
    ...{ code: 0, output: 'me\nrobot\n' },
  });
  t.match(await shardforge(who, wrong), { output: '', errors: /28P01/ });
});

t.test('a typed password is asked for twice and not shown', async (t) => {
  const answer = async (typed: string): Promise<[string | undefined, string]> => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const asked = askPassword(input, output).catch((error: Error) => error.message);
    input.write(typed);
    const given = await asked;
    return [given, String(output.read())];
  };
  const question = 'Password of the new user (empty for none): ';
  const both = `${question}\nThe same again: \n`;
  t.same(await answer('se cret\rse cret\r'), ['se cret', both]);
  t.same(await answer('secret\rother\r'), ['the passwords are not the same', both]);
  t.same(await answer('\r'), [undefined, `${question}\n`]);
  t.same(await answer('sec\x03'), ['no password was typed', `${question}\n`]);
});

t.test('docs/cli.md names every command and option of auth', async (t) => {
  const page = readFileSync(resolve('docs/cli.md'), 'utf8');
  const visit = (command: Command, path: string): void => {
    if (command.commands.length === 0) t.match(page, `\`${path}`);
    for (const { long } of command.options) t.match(page, long, `${path} ${long}`);
    for (const each of command.commands) visit(each, `${path} ${each.name()}`);
  };
  const root = program(() => undefined);
  visit(
    must(
      root.commands.find((each) => each.name() === 'auth'),
      'it is there',
    ),
    'auth',
  );
});
