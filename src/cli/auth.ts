/** `shardforge auth`: users, roles and their rights, by the statements of SQL for them. */
import { type Command, Option } from 'commander';
import { Fragment, type Query, type Row, type Sql } from '../client/index.js';
import { columns, literal, text } from './cluster.js';
import { tableOf } from './format.js';
import { newPassword } from './password.js';
import { addReaching, type Reaching, reach } from './reach.js';
import { describeNotice, UsageError } from './report.js';

interface AuthOptions extends Reaching {
  readonly json?: true;
  readonly database?: string;
}

interface NewUser extends AuthOptions {
  readonly username: string;
  readonly role: readonly string[];
  readonly newPasswordFile?: string;
}

interface NewRole extends AuthOptions {
  readonly name: string;
  readonly privileges?: readonly string[];
}

interface Removal extends AuthOptions {
  readonly reassign?: true;
}

interface Rights extends AuthOptions {
  readonly role: string;
  readonly table?: string;
  readonly allTables?: true;
  readonly privileges?: readonly string[];
}

/** What a command has done, in words and for programs. */
interface Done {
  readonly words: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Adds `shardforge auth`. */
export function addAuth(root: Command): void {
  const auth = root.command('auth').description('make users and roles, and give them rights');
  addUser(auth.command('user').description('work with users, the roles that may sign in'));
  addRole(auth.command('role').description('work with roles that may not sign in'));
  addRights(auth, 'grant', 'give a role rights on a table, or on the database');
  addRights(auth, 'revoke', 'take rights on a table, or on the database, from a role');
}

function addUser(user: Command): void {
  leaf(user, 'create', 'make a user; a terminal asks for its password')
    .requiredOption('--username <name>', 'as written, not folded to lower case')
    .option('--role <role...>', 'superuser for all rights, or a role to be a member of', several)
    .option('--new-password-file <file>', 'its password; without, SHARDFORGE_NEW_PASSWORD')
    .action(async ({ role = [], ...options }: NewUser) => createUser({ role, ...options }));
  removal(leaf(user, 'drop', 'remove a user'), '--username <name>').action(
    async (options: Removal & { readonly username: string }) =>
      drop(options, 'user', options.username),
  );
  leaf(user, 'list', 'show the users').action(async (options: AuthOptions) => list(options, true));
}

function addRole(role: Command): void {
  leaf(role, 'create', 'make a role')
    .requiredOption('--name <name>', 'as written, not folded to lower case')
    .option(
      '--privileges <privileges>',
      'such as SELECT,INSERT: on all tables of schema public, and by default privileges on those that the user of this command makes there later',
      privileges,
    )
    .addOption(databaseOption())
    .action(createRole);
  removal(leaf(role, 'drop', 'remove a role'), '--name <name>').action(
    async (options: Removal & { readonly name: string }) => drop(options, 'role', options.name),
  );
  leaf(role, 'list', 'show the roles').action(async (options: AuthOptions) => list(options, false));
}

function addRights(auth: Command, verb: 'grant' | 'revoke', description: string): void {
  const usual = verb === 'grant' ? 'SELECT on tables, CONNECT on a database' : 'ALL';
  leaf(auth, verb, description)
    .requiredOption('--role <name>', 'a role or a user')
    .requiredOption('--database <name>', 'that of the tables, or what the rights are on')
    .option('--table <name>', 'a table, or schema.table')
    .addOption(
      new Option('--all-tables', 'all tables that there are in schema public').conflicts('table'),
    )
    .option('--privileges <privileges>', `divided by commas (default: ${usual})`, privileges)
    .action(async (options: Rights) => changeRights(verb, options));
}

function leaf(parent: Command, name: string, description: string): Command {
  const command = addReaching(parent.command(name).description(description));
  return command.option('--json', 'as JSON');
}

function removal(command: Command, name: string): Command {
  return command
    .requiredOption(name, 'as written, not folded to lower case')
    .option(
      '--reassign',
      'first give what it owns to the user of this command, and take its rights away',
    )
    .addOption(databaseOption());
}

function databaseOption(): Option {
  return new Option('--database <name>', 'that of the tables');
}

async function createUser(options: NewUser): Promise<void> {
  const { username, role, newPasswordFile } = options;
  const password = await newPassword(newPasswordFile);
  // The password itself would stand in logs of statements.
  const { makeVerifier } = await import('../net/sign-in/index.js');
  const verifier = password === undefined ? undefined : await makeVerifier(password);
  const superuser = role.includes('superuser');
  const memberOf = role.filter((name) => name !== 'superuser');
  await change(options, (sql) => {
    const kind = superuser ? sql`SUPERUSER` : sql`NOSUPERUSER`;
    const secret = verifier === undefined ? sql`` : sql`PASSWORD ${constant(verifier)}`;
    const groups = memberOf.length === 0 ? sql`` : sql`IN ROLE ${names(sql, memberOf)}`;
    return [sql`CREATE ROLE ${sql.identifier(username)} LOGIN ${kind} ${secret} ${groups}`];
  });
  const hasPassword = password !== undefined;
  const how = hasPassword ? '' : ' without a password';
  tell(options, {
    words: `created user ${username}${how}`,
    value: { created: 'user', name: username, superuser, memberOf, password: hasPassword },
  });
}

async function createRole(options: NewRole): Promise<void> {
  const { name, privileges: given = [] } = options;
  await change(options, (sql) => {
    const role = sql.identifier(name);
    const create = sql`CREATE ROLE ${role} NOLOGIN`;
    if (given.length === 0) return [create];
    const rights = words(given);
    return [
      create,
      sql`GRANT ${rights} ON ALL TABLES IN SCHEMA public TO ${role}`,
      sql`ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ${rights} ON TABLES TO ${role}`,
    ];
  });
  const rights = given.length === 0 ? '' : ` with ${given.join(', ')} on tables of schema public`;
  tell(options, {
    words: `created role ${name}${rights}`,
    value: { created: 'role', name, privileges: given },
  });
}

async function drop(options: Removal, kind: 'user' | 'role', name: string): Promise<void> {
  await change(options, (sql) => {
    const role = sql.identifier(name);
    const remove = sql`DROP ROLE ${role}`;
    if (options.reassign !== true) return [remove];
    return [sql`REASSIGN OWNED BY ${role} TO CURRENT_USER`, sql`DROP OWNED BY ${role}`, remove];
  });
  tell(options, { words: `dropped ${kind} ${name}`, value: { dropped: kind, name } });
}

async function changeRights(verb: 'grant' | 'revoke', options: Rights): Promise<void> {
  const { role, database = '', table, allTables } = options;
  const isOfDatabase = table === undefined && allTables !== true;
  const least = isOfDatabase ? 'CONNECT' : 'SELECT';
  const given = options.privileges ?? [verb === 'grant' ? least : 'ALL'];
  await change(options, (sql) => {
    const target = isOfDatabase
      ? sql`DATABASE ${sql.identifier(database)}`
      : table === undefined
        ? sql`ALL TABLES IN SCHEMA public`
        : sql`TABLE ${sql.identifier(...table.split('.'))}`;
    const name = sql.identifier(role);
    return verb === 'grant'
      ? [sql`GRANT ${words(given)} ON ${target} TO ${name}`]
      : [sql`REVOKE ${words(given)} ON ${target} FROM ${name}`];
  });
  const scope = allTables === true ? 'all tables of schema public' : `table ${table}`;
  const on = isOfDatabase ? `database ${database}` : `${scope} of database ${database}`;
  const [done, way] = verb === 'grant' ? ['granted', 'to'] : ['revoked', 'from'];
  tell(options, {
    words: `${done} ${given.join(', ')} on ${on} ${way} ${role}`,
    value: { [done]: given, role, database, table: table ?? null, allTables: allTables === true },
  });
}

async function list(options: AuthOptions, users: boolean): Promise<void> {
  const rows = await within(options, (sql) => [
    sql`select rolname as name, rolsuper as superuser, rolcreaterole as "createRole",
          rolcreatedb as "createDatabase", to_json(array(
            select g.rolname from pg_auth_members m join pg_roles g on g.oid = m.roleid
            where m.member = r.oid order by 1)) as "memberOf"
        from pg_roles r where rolcanlogin = ${users} and rolname !~ '^pg_' order by 1`,
  ]);
  if (options.json === true) return print(`${JSON.stringify(rows, undefined, 2)}\n`);
  const head = columns('name', 'superuser', 'creates roles', 'creates databases', 'member of');
  const cells = rows.map((row) => [
    ...[row.name, yes(row.superuser), yes(row.createRole), yes(row.createDatabase)].map(text),
    (row.memberOf as unknown as readonly string[]).join(', '),
  ]);
  print(tableOf(head, cells));
}

async function change(options: AuthOptions, statements: Statements): Promise<void> {
  await within(options, statements);
}

type Statements = (sql: Sql) => readonly Query<Row>[];

/** Runs the statements in one transaction and gives the rows of the last. */
async function within(options: AuthOptions, statements: Statements): Promise<readonly Row[]> {
  const database = await reach(options, {
    ...{ max: 1, database: options.database, applicationName: 'shardforge auth' },
    onNotice: (notice) => process.stderr.write(describeNotice(notice)),
  });
  try {
    return await database.transaction(async (transaction) => {
      let rows: readonly Row[] = [];
      for (const statement of statements(transaction.sql)) rows = await statement;
      return rows;
    });
  } finally {
    await database.close(0);
  }
}

/** Names divided by commas. */
function names(sql: Sql, all: readonly string[]): Fragment {
  const commas = new Array<string>(all.length - 1).fill(', ');
  return new Fragment(
    ['', ...commas, ''],
    all.map((name) => sql.identifier(name)),
  );
}

/** A constant of a statement that takes no parameters. */
function constant(value: string): Fragment {
  return new Fragment([literal(value)], []);
}

/** Keywords, which {@link privileges} has let through. */
function words(keywords: readonly string[]): Fragment {
  return new Fragment([keywords.join(', ')], []);
}

const knownPrivileges: ReadonlySet<string> = new Set([
  ...['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'],
  ...['CREATE', 'CONNECT', 'TEMPORARY', 'TEMP', 'ALL', 'ALL PRIVILEGES'],
]);

function privileges(given: string): readonly string[] {
  return given.split(',').map((part) => {
    const privilege = part.trim().toUpperCase();
    if (knownPrivileges.has(privilege)) return privilege;
    throw new UsageError(`"${part.trim()}" is no privilege: ${[...knownPrivileges].join(', ')}`);
  });
}

/** What an option gives that may be repeated. */
function several(name: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), name];
}

function yes(value: unknown): string {
  return value === true ? 'yes' : '';
}

function tell({ json }: AuthOptions, { words: said, value }: Done): void {
  print(json === true ? `${JSON.stringify(value, undefined, 2)}\n` : `${said}\n`);
}

function print(value: string): void {
  process.stdout.write(value);
}
