/**
 * What a seed decides before a run begins. Each option is drawn on its own, so that some runs have a
 * fault not at all and others to the extreme.
 */
import type { Random } from '../base/random.js';
import type { ClusterLimits } from '../cluster/index.js';
import { defaultTiming } from '../node/index.js';
import type { RaftTiming } from '../raft/index.js';
import type { ShardLimits } from '../shard/index.js';
import type { ClientOptions } from './client.js';
import type { NodeOptions } from './compose.js';
import { type FaultKind, faultKinds, type FaultOptions } from './faults.js';
import type { NetworkOptions } from './network.js';

/** Bugs planted on purpose, to prove that the checkers notice them. */
export const plants = {
  'early-durability': 'the disk reports batches durable before it has flushed them',
  'torn-batch': 'a crash leaves half a batch on the disk',
  'blind-commit': 'commits are not checked against what changed since their snapshot',
  'forgotten-sequence': 'the last number of a sequence is not stored',
  'blind-vote': 'a vote is given without a look at the log of the candidate',
  'counted-commit': 'an entry of an older term is committed because a majority has it',
  'hasty-vote': 'a vote leaves before it is on the disk',
  'kept-lease': 'a leader that hands over goes on to read under its lease',
  'forgotten-promise': 'a process that was started again votes at once',
  'hasty-lock': 'an advisory lock is granted before it is known who has it',
  'unfenced-lock': 'a node that is cut off keeps its locks, and what it sends late is taken',
  'lost-notification': 'some notifications do not reach those who listen',
} as const;

export type Plant = keyof typeof plants;

/** A run of one node alone. */
export interface LoneOptions extends NodeOptions {
  readonly seed: number;
  /** Answered statements after which the run ends, and crashes that it has had by then. */
  readonly statements: number;
  readonly crashes: number;
  readonly clients: number;
  /** Turns between a start and the crash after it, at most. */
  readonly turnsToCrashMax: number;
  /** Pause of a client between two steps, at most. */
  readonly thinkMsMax: number;
  /** The chance per second that the wall clock jumps by up to ten minutes either way. */
  readonly clockJumps: number;
}

/** A run of a cluster. */
export interface ClusterOptions extends NodeOptions {
  readonly seed: number;
  /** Voters with data have the first node ids; then come witnesses, which vote too, then learners. */
  readonly voters: number;
  readonly witnesses: number;
  readonly learners: number;
  /** Nodes that may join later. */
  readonly spares: number;
  /** For so long faults happen while the cluster forms. */
  readonly formingMs: number;
  /** Faults happen for so long. */
  readonly durationMs: number;
  readonly clients: number;
  /** Pause of a client between two steps, at most. */
  readonly thinkMsMax: number;
  readonly client: ClientOptions;
  /** Clients beside those that take advisory locks or notifications. */
  readonly sessionClients: number;
  readonly timing: RaftTiming;
  readonly clusterLimits: Partial<ClusterLimits>;
  readonly network: NetworkOptions;
  readonly faults: FaultOptions;
}

/** Other than what the seed draws. */
export interface ClusterWishes {
  /** Members that vote. */
  readonly nodes?: number;
  /** Runs for so many times as long. */
  readonly lengthFactor?: number;
  /** Faults that do not happen. */
  readonly without?: readonly FaultKind[];
  /** Clients that take advisory locks or notifications. */
  readonly sessionClients?: number;
}

const clockDrift = 0.01;

export function drawClusterOptions(
  seed: number,
  random: Random,
  plant: Plant | undefined,
  wishes: ClusterWishes,
): ClusterOptions {
  const drawn = random.pick([1, 3, 3, 3, 3, 3, 3, 5, 5, 5]);
  const members = wishes.nodes ?? drawn;
  const witnesses = random.chance(0.2) && members >= 3 ? 1 : 0;
  const statements = random.between(100, 300);
  const durationMs = random.pick([1000, 3000, 6000]) * (wishes.lengthFactor ?? 1);
  const clients = random.between(2, 8);
  const kinds = faultKinds
    .filter(() => random.chance(0.35))
    .filter((kind) => wishes.without?.includes(kind) !== true);
  return {
    seed,
    voters: members - witnesses,
    witnesses,
    learners: random.pick([0, 0, 0, 1, 1, 2]),
    spares: random.pick([0, 0, 1, 2]),
    formingMs: random.chance(0.2) ? 2000 : 0,
    durationMs,
    clients,
    thinkMsMax: (2 * clients * durationMs) / statements,
    client: {
      patienceMs: random.pick([300, 1500, 5000]),
      retryMsMax: random.pick([20, 50, 200]),
      insists: true,
      endures: kinds.includes('rot') ? ['data_corrupted'] : [],
    },
    timing: drawTiming(random),
    clusterLimits: {
      helloMs: random.pick([20, 250]),
      reconcileMs: random.pick([20, 250]),
      commandMs: random.pick([2000, 10_000]),
    },
    network: drawNetworkOptions(random),
    faults: {
      kinds,
      pauseMsMax: random.pick([300, 1000, 2000]),
      durationMsMax: random.pick([300, 1500, 4000]),
      leaderChance: random.pick([0, 0.5, 0.9]),
    },
    ...withLease(drawNodeOptions(random, plant, clockDrift), random),
    sessionClients: wishes.sessionClients ?? random.pick([0, 0, 0, 4, 8]),
  };
}

/** Drawn last, so that seeds stay what they were before there were such leases. */
function withLease(options: NodeOptions, random: Random): NodeOptions {
  const lockLeaseMs = random.pick([500, 2000]);
  return { ...options, shardLimits: { ...options.shardLimits, lockLeaseMs } };
}

/** A cluster of three with the protocol's own times and no faults. */
export function drawCalmOptions(seed: number, random: Random): ClusterOptions {
  const latencyMsMin = random.pick([0.05, 0.2]);
  return {
    seed,
    voters: 3,
    witnesses: 0,
    learners: 0,
    spares: 0,
    formingMs: 0,
    durationMs: 0,
    clients: 0,
    thinkMsMax: 0,
    client: { patienceMs: 5000, retryMsMax: 10, insists: true, endures: [] },
    sessionClients: 0,
    timing: defaultTiming,
    clusterLimits: {},
    network: {
      latencyMsMin,
      latencyMsMax: latencyMsMin * 5,
      tailChance: 0.01,
      tailMsMax: 5,
      dropChance: 0,
      repeatChance: 0,
      corruptChance: 0,
      backlogBytesMax: 1_000_000,
      silenceMsMin: 1000,
      silenceMsMax: 2000,
      dialMsMax: 50,
    },
    faults: { kinds: [], pauseMsMax: 0, durationMsMax: 0, leaderChance: 0 },
    plant: undefined,
    disk: { flushMsMin: 0.1, flushMsMax: 1, unflushedSurvival: 0.5 },
    clock: { drift: defaultTiming.clockDrift, wallOffsetMsMax: 100, readMsMax: 0 },
    encodesAll: false,
    repeatedProposals: 0,
    shardLimits: {},
  };
}

function drawTiming(random: Random): RaftTiming {
  return {
    heartbeatMs: random.pick([20, 50]),
    electionMsMin: 150,
    electionMsMax: random.pick([200, 300, 500]),
    leaseMs: random.pick([100, 150]),
    clockDrift,
    leaseReads: random.chance(0.8),
    hibernateMs: random.pick([100, 500, 2000, Number.POSITIVE_INFINITY]),
  };
}

function drawNetworkOptions(random: Random): NetworkOptions {
  const latencyMsMin = random.pick([0.05, 0.2, 2]);
  return {
    latencyMsMin,
    latencyMsMax: latencyMsMin * random.pick([1, 5, 20]),
    tailChance: random.pick([0, 0.01, 0.1]),
    tailMsMax: random.pick([5, 50, 300]),
    dropChance: random.pick([0, 0, 0.02, 0.2]),
    repeatChance: random.pick([0, 0.05, 0.3]),
    corruptChance: random.pick([0, 0, 0.001, 0.01]),
    backlogBytesMax: random.pick([20_000, 1_000_000]),
    silenceMsMin: 200,
    silenceMsMax: random.pick([500, 3000]),
    dialMsMax: random.pick([5, 50, 300]),
  };
}

export function drawLoneOptions(
  seed: number,
  random: Random,
  plant: Plant | undefined,
): LoneOptions {
  return {
    seed,
    statements: random.between(500, 900),
    crashes: random.between(3, 8),
    clients: random.between(3, 12),
    turnsToCrashMax: random.pick([300, 1000, 3000]),
    thinkMsMax: random.pick([0, 1, 20]),
    clockJumps: random.pick([0, 0, 0.5, 5]),
    ...drawNodeOptions(random, plant, 0),
  };
}

/** `drift`: the share by which two clocks may differ in rate. */
function drawNodeOptions(random: Random, plant: Plant | undefined, drift: number): NodeOptions {
  const slowDisk = random.chance(0.2);
  return {
    plant,
    disk: {
      flushMsMin: random.pick([0.05, 0.1, 0.5]),
      flushMsMax: slowDisk ? 150 : random.pick([0.2, 1, 5]),
      unflushedSurvival: random.pick([0, 0.5, 0.9]),
    },
    clock: {
      drift,
      wallOffsetMsMax: random.pick([0, 100, 600_000]),
      readMsMax: random.pick([0, 0.01, 0.5]),
    },
    encodesAll: drift === 0 || random.chance(0.3),
    repeatedProposals: random.pick([0, 0.1]),
    shardLimits: drawShardLimits(random),
  };
}

function drawShardLimits(random: Random): Partial<ShardLimits> {
  return {
    applyDelayMs: random.pick([1, 10, 100, 1000]),
    applyBatchBytes: random.pick([1_000, 20_000, 1_000_000]),
    overlayBytesMax: random.pick([30_000, 200_000, 64_000_000]),
    turnEntriesMax: random.pick([1, 4, 1024]),
    logTailEntries: random.pick([0, 8, 1024]),
    collectDelayMs: random.pick([1, 20, 100]),
    collectIdleDelayMs: random.pick([5, 100, 1000]),
    collectKeysMax: random.pick([2, 50, 1024]),
    garbageItemsMax: random.pick([3, 100, 65_536]),
    sweepPairsMax: random.pick([5, 100, 2048]),
  };
}
