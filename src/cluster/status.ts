/** What operators are shown, as JSON. docs/operations.md describes it. */
import type { NodeId } from '../base/ids.js';
import type { ReplicaStatus } from '../shard/protocol.js';
import type { AdminValue } from '../sql/session/protocol.js';
import type { Changes } from './changes.js';
import { partitionOf } from './liveness.js';
import { timingValue } from './timing.js';
import type { View } from './view.js';

type Report = { readonly [name: string]: AdminValue };

/** How this node stands. `replica` is undefined when it has none or it does not answer. */
export function nodeReport(
  view: View,
  replica: ReplicaStatus | undefined,
  notReady: string | undefined,
  nowMs: number,
): Report {
  const { args, liveness, news, check } = view;
  return {
    node: args.node,
    instance: args.instance,
    version: args.version,
    clusterId: view.clusterId ?? null,
    address: args.address ?? null,
    http: view.http === '' ? null : view.http,
    ready: notReady === undefined,
    notReady: notReady ?? null,
    leads: view.leads,
    leader: news?.leader ?? null,
    term: news?.term ?? null,
    hears: [...liveness.alive],
    links: [...view.linked].map(([node, instance]) => ({
      ...{ node, instance, alive: liveness.isAlive(node) },
      hears: [...liveness.hearsOf(node)],
    })),
    timing: timingValue(view.timing),
    check:
      check === undefined
        ? null
        : { agoMs: Math.round(nowMs - check.atMs), ...objectOf(check.value) },
    replica: replica === undefined ? null : replicaReport(replica),
  };
}

function replicaReport(status: ReplicaStatus): Report {
  const { raft } = status;
  return {
    role: raft.role,
    term: raft.term,
    vote: raft.vote ?? null,
    lastIndex: raft.lastIndex,
    commitIndex: raft.commitIndex,
    appliedIndex: raft.appliedIndex,
    logEntries: status.logEntries,
    hibernating: raft.hibernating,
    leaseMs: Number.isFinite(raft.leaseMs) ? Math.round(raft.leaseMs) : null,
    transferTo: raft.transferTo ?? null,
    failedElections: raft.failedElections,
    roundTripMs: Number.isFinite(raft.roundTripMs) ? raft.roundTripMs : null,
    configuration: {
      voters: [...raft.configuration.voters],
      outgoing: [...raft.configuration.outgoing],
      learners: [...raft.configuration.learners],
      witnesses: [...raft.configuration.witnesses],
    },
    progress: raft.progress.map((member) => ({ ...member })),
    snapshots: status.snapshots.map((snapshot) => ({ ...snapshot })),
  };
}

/** Whether a majority of the voters lives, seen from here. */
export function quorumReport(view: View): Report {
  const voters = view.configuration?.voters ?? [];
  const { alive } = view;
  const living = voters.filter((voter) => alive.has(voter));
  const needed = Math.floor(voters.length / 2) + 1;
  return {
    voters: [...voters],
    needed,
    alive: living,
    reached: voters.length > 0 && living.length >= needed,
    partition: voters.length === 0 ? null : partitionOf(view.node, voters, view.liveness),
  };
}

/** The whole cluster; `reports` are those of the nodes that answered, by node. */
export function clusterReport(
  view: View,
  reports: ReadonlyMap<NodeId, AdminValue>,
  changes: Changes,
  notReady: string | undefined,
): Report {
  return {
    clusterId: view.clusterId ?? null,
    node: view.node,
    ready: notReady === undefined,
    notReady: notReady ?? null,
    leader: view.leader ?? null,
    term: view.news?.term ?? null,
    quorum: quorumReport(view),
    change: view.leads ? { ...changes.progress } : null,
    check: newestCheck(reports),
    members: membersOf(view).map((node) => memberReport(node, view, reports)),
  };
}

/** Of the comparisons of replicas that nodes have made, the last one. */
function newestCheck(reports: ReadonlyMap<NodeId, AdminValue>): AdminValue {
  const checks = [...reports.values()]
    .map((report) => objectOf(objectOf(report).check))
    .filter(({ agoMs }) => typeof agoMs === 'number');
  return checks.sort((a, b) => Number(a.agoMs) - Number(b.agoMs))[0] ?? null;
}

/** Those with a row, and those of the configuration that have none yet. */
function membersOf(view: View): readonly NodeId[] {
  const { configuration, rows, node } = view;
  const nodes = new Set<NodeId>([
    ...rows.keys(),
    ...(configuration?.voters ?? []),
    ...(configuration?.learners ?? []),
  ]);
  if (nodes.size === 0) nodes.add(node);
  return [...nodes].sort((a, b) => a - b);
}

function memberReport(node: NodeId, view: View, reports: ReadonlyMap<NodeId, AdminValue>): Report {
  const row = view.rows.get(node);
  const hello = node === view.node ? view.hello() : view.greeted.get(node);
  const report = objectOf(reports.get(node));
  const replica = objectOf(report.replica);
  const progress = progressOf(node, view, reports);
  const { alive } = view;
  return {
    node,
    address: hello?.address ?? row?.address ?? null,
    http: hello?.http ?? row?.http ?? null,
    role: row?.role ?? hello?.role ?? null,
    state: row?.state ?? 'active',
    inGroup: placeInGroup(node, view),
    alive: alive.has(node),
    leads: view.leader === node,
    ready: report.ready ?? null,
    notReady: report.notReady ?? null,
    appliedIndex: replica.appliedIndex ?? null,
    matchIndex: progress.matchIndex ?? null,
    progress: progress.state ?? null,
    snapshotBytes: progress.bytes ?? null,
    snapshotTotalBytes: progress.totalBytes ?? null,
    heardBy: [...alive].filter(
      (other) =>
        other !== node &&
        (other === view.node
          ? view.liveness.isAlive(node)
          : view.liveness.hearsOf(other).includes(node)),
    ),
  };
}

function placeInGroup(node: NodeId, { configuration }: View): string | null {
  if (configuration === undefined) return null;
  if (configuration.witnesses.includes(node)) return 'witness';
  if (configuration.voters.includes(node)) return 'voter';
  if (configuration.outgoing.includes(node)) return 'outgoing voter';
  return configuration.learners.includes(node) ? 'learner' : null;
}

/** What the leader knows of the member: how far it is, and the snapshot that it gets. */
function progressOf(node: NodeId, view: View, reports: ReadonlyMap<NodeId, AdminValue>): Report {
  if (view.leader === undefined) return {};
  const replica = objectOf(objectOf(reports.get(view.leader)).replica);
  const of = (list: AdminValue | undefined): Report =>
    Array.isArray(list)
      ? (list.map((item) => objectOf(item as AdminValue)).find((item) => item.node === node) ?? {})
      : {};
  return { ...of(replica.progress), ...of(replica.snapshots) };
}

export function objectOf(value: AdminValue | undefined): Report {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Report)
    : {};
}
