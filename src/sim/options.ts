/**
 * What a seed decides before a run begins. Each option is drawn on its own, so that some runs have a
 * fault not at all and others to the extreme.
 */
import type { Random } from '../base/random.js';
import type { ShardLimits } from '../shard/index.js';

/** Bugs planted on purpose, to prove that the checkers notice them. */
export const plants = {
  'early-durability': 'the disk reports batches durable before it has flushed them',
  'torn-batch': 'a crash leaves half a batch on the disk',
  'blind-commit': 'commits are not checked against what changed since their snapshot',
  'forgotten-sequence': 'the last number of a sequence is not stored',
} as const;

export type Plant = keyof typeof plants;

export interface RunOptions {
  readonly seed: number;
  readonly plant: Plant | undefined;
  /** Answered statements after which the run ends, and crashes that it has had by then. */
  readonly statements: number;
  readonly crashes: number;
  readonly clients: number;
  /** A flush takes between these, drawn anew for each. */
  readonly flushMsMin: number;
  readonly flushMsMax: number;
  /** Turns between a start and the crash after it, at most. */
  readonly turnsToCrashMax: number;
  /** The chance that a batch not yet flushed survives a crash. */
  readonly unflushedSurvival: number;
  /** Pause of a client between two steps, at most. */
  readonly thinkMsMax: number;
  /** A clock read lets up to so much time pass, so that turns reach their budget. */
  readonly clockReadMsMax: number;
  /** The chance per second that the wall clock jumps by up to ten minutes either way. */
  readonly clockJumps: number;
  /** The chance that a proposal reaches the replica a second time, as after a retry. */
  readonly repeatedProposals: number;
  /** Limits of the shard, small ones too, so that runs reach what is behind them. */
  readonly shardLimits: Partial<ShardLimits>;
}

export function drawOptions(seed: number, random: Random, plant: Plant | undefined): RunOptions {
  const slowDisk = random.chance(0.2);
  return {
    seed,
    plant,
    statements: random.between(500, 900),
    crashes: random.between(3, 8),
    clients: random.between(3, 12),
    flushMsMin: random.pick([0.05, 0.1, 0.5]),
    flushMsMax: slowDisk ? 150 : random.pick([0.2, 1, 5]),
    turnsToCrashMax: random.pick([300, 1000, 3000]),
    unflushedSurvival: random.pick([0, 0.5, 0.9]),
    thinkMsMax: random.pick([0, 1, 20]),
    clockReadMsMax: random.pick([0, 0.01, 0.5]),
    clockJumps: random.pick([0, 0, 0.5, 5]),
    repeatedProposals: random.pick([0, 0.1]),
    shardLimits: {
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
    },
  };
}
