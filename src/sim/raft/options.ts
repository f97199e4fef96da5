/** What a seed decides before a group begins: each on its own, so that some runs have it not at all. */
import type { Random } from '../../base/random.js';
import type { RaftFlow, RaftRules, RaftTiming } from '../../raft/index.js';

const groupFaults = [
  'crash',
  'crashAll',
  'restartAtOnce',
  'freeze',
  'suspend',
  'isolate',
  'oneWay',
  'split',
  'links',
  'shortReigns',
  'crashVoters',
  'slowDisk',
  'rot',
  'tornInstall',
  'falseAlarm',
] as const;

export type GroupFault = (typeof groupFaults)[number];

/** What operators do. */
const groupOrders = ['transfer', 'reconfigure', 'rollback', 'timing'] as const;

export type GroupOrder = (typeof groupOrders)[number];

export interface GroupOptions {
  readonly seed: number;
  /** The first members; the witnesses are among the voters. */
  readonly voters: number;
  readonly witnesses: number;
  readonly learners: number;
  /** Nodes that belong to nobody at first. */
  readonly spares: number;
  /** Faults, orders and clients end after so long; then all is healed. */
  readonly durationMs: number;
  readonly timing: RaftTiming;
  readonly flow: RaftFlow;
  readonly rules: RaftRules | undefined;
  readonly lossRate: number;
  readonly duplicationRate: number;
  readonly delayMsMin: number;
  readonly delayMsMax: number;
  /** The chance that a message takes up to half a second. */
  readonly stragglerRate: number;
  /** Messages of a link arrive in the order in which they were sent. */
  readonly ordered: boolean;
  /** A process that starts again is reached by each of the others after so long at most. */
  readonly reconnectMsMax: number;
  readonly flushMsMin: number;
  readonly flushMsMax: number;
  /** The chance that a batch not yet flushed survives a crash. */
  readonly unflushedSurvival: number;
  readonly applyMsMax: number;
  /** The state is written, and the log before it compacted, after so many entries. */
  readonly compactEntries: number;
  readonly clients: number;
  readonly thinkMsMax: number;
  /** The share of writes among what clients ask for. */
  readonly writeShare: number;
  readonly faults: readonly GroupFault[];
  readonly faultPauseMsMax: number;
  readonly faultMsMax: number;
  /** Pause between two bridges, at most: see GroupFaults. */
  readonly bridgePauseMsMax: number;
  readonly orders: readonly GroupOrder[];
  readonly orderPauseMsMax: number;
}

export function drawTiming(random: Random, leaseMs: number): RaftTiming {
  const electionMsMin = leaseMs + random.pick([0, 0, 30]);
  return {
    heartbeatMs: leaseMs / random.pick([3, 6]),
    electionMsMin,
    electionMsMax: electionMsMin + leaseMs * random.pick([0.3, 1]),
    leaseMs,
    clockDrift: 0.05,
    leaseReads: true,
    hibernateMs: Number.POSITIVE_INFINITY,
  };
}

export function drawGroup(
  seed: number,
  random: Random,
  rules: RaftRules | undefined,
): GroupOptions {
  const share = random.pick([0.2, 0.4, 0.7]);
  const some = <T>(items: readonly T[]): readonly T[] => items.filter(() => random.chance(share));
  const voters = random.pick([1, 3, 3, 3, 5, 5]);
  const faults = some(groupFaults);
  // Of three, who commits with a witness and then rots takes the only copy along: then nobody may go on.
  const witnessesMax = faults.includes('rot') ? (voters - 3) / 2 : (voters - 1) / 2;
  const witnesses = witnessesMax < 1 || random.chance(0.5) ? 0 : random.pick([1, witnessesMax]);
  const timing: RaftTiming = {
    ...drawTiming(random, random.pick([50, 150, 300])),
    leaseReads: random.chance(0.8),
    hibernateMs: random.pick([Number.POSITIVE_INFINITY, 100, 400]),
  };
  return {
    seed,
    voters,
    witnesses,
    learners: random.pick([0, 0, 1]),
    spares: random.pick([0, 1, 2]),
    durationMs: random.between(3000, 8000),
    timing,
    flow: {
      appendBytesMax: random.pick([1, 1, 30, 100_000]),
      inFlightBytesMax: random.pick([10, 100, 1_000_000]),
      inFlightMessagesMax: random.pick([1, 3, 64]),
    },
    rules,
    lossRate: random.pick([0, 0, 0.02, 0.2]),
    duplicationRate: random.pick([0, 0.02, 0.2]),
    delayMsMin: random.pick([0.05, 0.5, 5]),
    delayMsMax: random.pick([5.1, 10, 40]),
    stragglerRate: random.pick([0, 0, 0.02]),
    ordered: random.chance(0.5),
    reconnectMsMax: random.pick([0, 50, 300]),
    flushMsMin: random.pick([0.05, 0.5]),
    flushMsMax: random.pick([0.6, 5, 30]),
    unflushedSurvival: random.pick([0, 0.5, 0.9]),
    applyMsMax: random.pick([0, 1, 50]),
    compactEntries: random.pick([3, 10, 40, 1000]),
    clients: random.between(2, 5),
    writeShare: random.pick([0.01, 0.1, 0.5]),
    thinkMsMax: random.pick([10, 40, 100]),
    faults: voters === 1 ? faults.filter((fault) => fault !== 'rot') : faults,
    faultPauseMsMax: random.pick([150, 500, 1500]),
    bridgePauseMsMax: random.pick([Number.POSITIVE_INFINITY, 2000, 600]),
    faultMsMax: random.pick([50, 300, 1200]),
    orders: some(groupOrders),
    orderPauseMsMax: random.pick([100, 500, 1500]),
  };
}
