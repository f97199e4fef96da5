/**
 * What a seed decides before a run begins. Each option is drawn on its own, so that some runs have a
 * fault not at all and others to the extreme.
 */
import type { Random } from '../base/random.js';
import type { ShardLimits } from '../shard/index.js';
import type { NodeOptions } from './compose.js';

/** Bugs planted on purpose, to prove that the checkers notice them. */
export const plants = {
  'early-durability': 'the disk reports batches durable before it has flushed them',
  'torn-batch': 'a crash leaves half a batch on the disk',
  'blind-commit': 'commits are not checked against what changed since their snapshot',
  'forgotten-sequence': 'the last number of a sequence is not stored',
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
export function drawNodeOptions(
  random: Random,
  plant: Plant | undefined,
  drift: number,
): NodeOptions {
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
