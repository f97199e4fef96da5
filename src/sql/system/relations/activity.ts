/** What the sessions of the cluster do: pg_stat_activity, and shardforge.sessions with node and query id. */
import { must } from '../../../base/assert.js';
import { oidOf, predefinedRole, Principal } from '../../catalogue/index.js';
import { timestampOfUnixMs, type TypeName, type Value } from '../../types/index.js';
import { always, type ColumnValue, relationOf, systemRelation } from '../define.js';
import { catalogSchema } from '../facts.js';
import { oids } from '../oids.js';
import type { SessionReport } from '../session-report.js';
import type { SystemCatalogue } from '../system-catalogue.js';

interface Session {
  readonly report: SessionReport;
  /** The asking role may see what it does. */
  readonly isOpen: boolean;
}

/** The session asks for them, and executes again with the answer. */
function* sessions(view: SystemCatalogue): Iterable<Session> {
  const { functions } = view.home;
  const ask = must(functions.ask, 'sessions are asked for within a session');
  const reports = JSON.parse(ask({ kind: 'sessions' }, '[]') as string) as readonly SessionReport[];
  const { catalogue } = view;
  const role = catalogue.role(functions.user)?.object;
  const principal = role === undefined ? undefined : new Principal(role, catalogue);
  const seesAll = principal?.hasPrivilegesOf(predefinedRole('pg_read_all_stats')) !== false;
  for (const report of reports) {
    const other = catalogue.role(report.user)?.object;
    const isOpen = seesAll || (other !== undefined && principal.hasPrivilegesOf(other));
    yield { report, isOpen };
  }
}

function timestamp(ms: number | null): Value {
  return ms === null ? null : timestampOfUnixMs(ms);
}

const hidden =
  (value: (report: SessionReport) => Value, instead: Value = null): ColumnValue<Session> =>
  ({ report, isOpen }) =>
    isOpen ? value(report) : instead;

function hostOf(address: string | null): string | null {
  const host = address?.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return host === undefined || host === '' ? null : host;
}

function portOf(address: string | null): number | null {
  const port = Number(address?.slice(address.lastIndexOf(':') + 1));
  return address === null || !Number.isInteger(port) ? null : port;
}

function roleOid({ report }: Session, view: SystemCatalogue): Value {
  const role = view.catalogue.role(report.user);
  return role === undefined ? null : oidOf(role.object);
}

const noPrivilege = '<insufficient privilege>';

export const activityRelation = systemRelation<Session>(catalogSchema, 'pg_stat_activity', {
  items: sessions,
  asks: true,
  values: {
    datid: (_session, view) => oidOf(view.catalogue.database.object),
    datname: ({ report }) => report.database,
    pid: ({ report }) => report.pid,
    leader_pid: always(null),
    usesysid: roleOid,
    usename: ({ report }) => report.user,
    application_name: ({ report }) => report.applicationName,
    client_addr: hidden(({ address }) => hostOf(address)),
    client_hostname: always(null),
    client_port: hidden(({ address }) => portOf(address)),
    backend_start: hidden(({ startMs }) => timestamp(startMs)),
    xact_start: hidden(({ transactionMs }) => timestamp(transactionMs)),
    query_start: hidden(({ queryMs }) => timestamp(queryMs)),
    state_change: hidden(({ stateMs }) => timestamp(stateMs)),
    wait_event_type: hidden(({ waitType }) => waitType),
    wait_event: hidden(({ wait }) => wait),
    state: hidden(({ state }) => state),
    backend_xid: always(null),
    backend_xmin: always(null),
    // PostgreSQL's is a hash of the statement that nobody computes here, as with compute_query_id = off.
    query_id: always(null),
    query: hidden(({ query }) => query, noPrivilege),
    backend_type: hidden(() => 'client backend'),
  },
});

const columns: readonly (readonly [string, TypeName])[] = [
  ['pid', 'int4'],
  ['node', 'int4'],
  ['user_name', 'name'],
  ['application_name', 'text'],
  ['client', 'text'],
  ['state', 'text'],
  ['wait', 'text'],
  ['started', 'timestamptz'],
  ['query_started', 'timestamptz'],
  ['query_id', 'text'],
  ['query', 'text'],
];

export const sessionsRelation = relationOf<Session>(
  {
    oid: oids.sessionsView,
    schema: 'shardforge',
    name: 'sessions',
    columns: columns.map(([name, type]) => ({ name, type, notNull: false })),
  },
  {
    items: sessions,
    asks: true,
    values: {
      pid: ({ report }) => report.pid,
      node: ({ report }) => report.node,
      user_name: ({ report }) => report.user,
      application_name: ({ report }) => report.applicationName,
      client: hidden(({ address }) => address),
      state: hidden(({ state }) => state),
      wait: hidden(({ waitType, wait }) => (wait === null ? null : `${waitType}/${wait}`)),
      started: hidden(({ startMs }) => timestamp(startMs)),
      query_started: hidden(({ queryMs }) => timestamp(queryMs)),
      query_id: hidden(({ queryId }) => queryId),
      query: hidden(({ query }) => query, noPrivilege),
    },
  },
);
