/** Raft's times as the configuration has them. */
import type { RaftTiming } from '../raft/index.js';
import { checkConfig, type NodeConfig } from './config.js';
import { defaultRaftTiming } from '../shard/index.js';

export function timingOf(raft: NodeConfig['raft']): RaftTiming {
  const { clockDriftPerMille, hibernateMs, ...rest } = raft;
  return {
    ...rest,
    // A promise between nodes: no option, or two of them might differ.
    leaseMs: defaultRaftTiming.leaseMs,
    clockDrift: clockDriftPerMille / 1000,
    hibernateMs: hibernateMs === 0 ? Number.POSITIVE_INFINITY : hibernateMs,
  };
}

/** Those of a configuration that says nothing of them. */
export const defaultTiming: RaftTiming = timingOf(checkConfig({}).raft);
