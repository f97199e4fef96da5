/**
 * Several members that come and go at once, through a joint configuration: until it ends, what is agreed on has a
 * majority of the old voters and of the new ones. Pure decisions; the rows of all of them are written in one
 * transaction, so the next leader goes on with it, or back.
 */
import type { NodeId } from '../base/ids.js';
import { type Members, membersRefusal } from '../raft/index.js';
import type { Configuration } from '../storage/index.js';
import { type MemberRow, type Reconciled, type Step, without } from './members.js';

export interface Replacement {
  /** Members that leave. */
  readonly leaving: readonly NodeId[];
  /** Learners that become voters. */
  readonly joining: readonly NodeId[];
}

type Rows = ReadonlyMap<NodeId, MemberRow>;

/** Whether a replacement is under way, forward or back. */
export function isReplacing(rows: Rows): boolean {
  return [...rows.values()].some(({ joint }) => joint !== 'no');
}

/** Whether the rows say already what the replacement wants. */
export function isReplaced(rows: Rows, { leaving, joining }: Replacement): boolean {
  const left = leaving.every((node) => {
    const row = rows.get(node);
    return row?.state === 'gone' || (row?.state === 'leaving' && row.joint === 'forward');
  });
  const joined = joining.every((node) => {
    const row = rows.get(node);
    return row?.role === 'voter' && (row.state === 'active' || row.joint === 'forward');
  });
  return left && joined;
}

/** Why the replacement cannot be begun now; undefined when it can. */
export function refusalToReplace(
  rows: Rows,
  configuration: Configuration,
  alive: ReadonlySet<NodeId>,
  replacement: Replacement,
): string | undefined {
  const { leaving, joining } = replacement;
  const named = [...leaving, ...joining];
  if (named.length === 0) return 'no node is named';
  const twice = named.find((node, at) => named.indexOf(node) !== at);
  if (twice !== undefined) return `node ${twice} is named twice`;
  const busy = [...rows.values()].find(({ state }) => state === 'joining' || state === 'leaving');
  if (busy !== undefined) return `node ${busy.node} is still ${busy.state}`;
  if (isReplacing(rows) || configuration.outgoing.length > 0) {
    return 'another change of the members is under way';
  }
  for (const node of leaving)
    if (rows.get(node)?.state !== 'active') return `node ${node} is no member`;
  for (const node of joining) {
    if (!configuration.learners.includes(node) || rows.get(node)?.state !== 'active') {
      return `node ${node} is no learner: start it with cluster.role learner and have it join first`;
    }
  }
  const target = targetOf(configuration, replacement);
  const { voters, witnesses } = target;
  const living = voters.filter((voter) => alive.has(voter));
  if (!living.some((voter) => !witnesses.includes(voter))) {
    return 'of the new voters none with data would be alive';
  }
  if (living.length * 2 > voters.length) return membersRefusal(target);
  return `of the new voters only ${living.length} of ${voters.length} would be alive, which is no majority`;
}

/** The rows as the replacement wants them. */
export function replacedRows(rows: Rows, { leaving, joining }: Replacement): readonly MemberRow[] {
  return [...rows.values()].flatMap((row): MemberRow[] => {
    if (leaving.includes(row.node)) return [{ ...row, state: 'leaving', joint: 'forward' }];
    if (!joining.includes(row.node)) return [];
    return [{ ...row, role: 'voter', state: 'joining', joint: 'forward' }];
  });
}

/** The rows that give up the replacement under way; none when there is none. */
export function givenUpRows(rows: Rows): readonly MemberRow[] {
  return [...rows.values()]
    .filter(({ joint }) => joint === 'forward')
    .map((row) => ({ ...row, joint: 'back' }));
}

/** What the leader does next about a replacement: undefined while it waits; `none` when there is none. */
export function replacingStep(state: Reconciled): Step | 'none' | undefined {
  const rows = [...state.rows.values()]
    .filter(({ joint }) => joint !== 'no')
    .sort((a, b) => a.node - b.node);
  if (rows.length === 0) return 'none';
  const { configuration } = state;
  if (rows.some(({ joint }) => joint === 'back')) return backStep(rows, configuration);
  if (configuration.outgoing.length > 0) return undefined;
  const leaving = rows.filter((row) => row.state === 'leaving').map(({ node }) => node);
  const joining = rows.filter((row) => row.state === 'joining').map(({ node }) => node);
  const target = targetOf(configuration, { leaving, joining });
  const members = [...configuration.voters, ...configuration.learners];
  const done =
    joining.every((node) => configuration.voters.includes(node)) &&
    !leaving.some((node) => members.includes(node));
  if (done) return endStep(rows);
  // One that stays leads through the change, if there is one: else there is a gap at its end.
  const stays = target.voters.find(
    (voter) =>
      configuration.voters.includes(voter) &&
      !target.witnesses.includes(voter) &&
      state.running.has(voter),
  );
  if (leaving.includes(state.self) && stays !== undefined) {
    return { kind: 'transfer', to: stays, text: `node ${state.self} leaves and hands over` };
  }
  const text = `replaces ${named(leaving)} by ${named(joining)}`;
  return { kind: 'reconfigure', members: target, joint: true, text };
}

/** Row by row; who is written is what it shall be. */
function endStep(rows: readonly MemberRow[]): Step | undefined {
  const [row] = rows;
  if (row === undefined) return undefined;
  const gone = row.state === 'leaving';
  return {
    kind: 'write',
    row: { ...row, state: gone ? 'gone' : 'active', joint: 'no' },
    text: `node ${row.node} has ${gone ? 'left' : 'become a voter'}`,
  };
}

function backStep(rows: readonly MemberRow[], { outgoing }: Configuration): Step | undefined {
  if (outgoing.length > 0) return { kind: 'rollback', text: 'gives up replacing members' };
  const [row] = rows;
  if (row === undefined) return undefined;
  const role = row.state === 'joining' ? 'learner' : row.role;
  return {
    kind: 'write',
    row: { ...row, role, state: 'active', joint: 'no' },
    text: `node ${row.node} stays what it was`,
  };
}

function targetOf(configuration: Configuration, { leaving, joining }: Replacement): Members {
  let rest: Members = configuration;
  for (const node of [...leaving, ...joining]) rest = without(rest, node);
  const { voters, learners, witnesses } = rest;
  return { voters: [...voters, ...joining], learners, witnesses };
}

function named(nodes: readonly NodeId[]): string {
  return nodes.length === 0 ? 'nobody' : nodes.join(', ');
}
