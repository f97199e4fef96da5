/**
 * How the simulator puts a node together: with the same composition as a real one. This is the one
 * file that changes when that does.
 */
import type { Dispatcher } from '../actors/index.js';
import type { NodeId } from '../base/ids.js';
import { composePlace, registerKinds, Sessions, shardPlace } from '../node/index.js';
import type { ShardLimits } from '../shard/index.js';
import type { Engine } from '../storage/index.js';
import type { ClockOptions } from './clock.js';
import type { DiskOptions } from './disk.js';
import type { Plant } from './options.js';

/** What a node is like in a run. */
export interface NodeOptions {
  readonly plant: Plant | undefined;
  readonly disk: DiskOptions;
  readonly clock: ClockOptions;
  /** The chance that a proposal reaches the replica a second time, as after a retry. */
  readonly repeatedProposals: number;
  /** Limits of the shard, small ones too, so that runs reach what is behind them. */
  readonly shardLimits: Partial<ShardLimits>;
}

export interface ComposeParts {
  readonly engine: Engine;
  readonly node: NodeId;
  readonly incarnation: number;
  readonly options: NodeOptions;
}

/** A node whose actors run. */
export interface Composed {
  readonly sessions: Sessions;
  /** False until the node serves SQL. */
  readonly ready: () => boolean;
  /** The connection to a peer has come about or ended. */
  readonly onLink: (peer: NodeId, connected: boolean) => void;
}

const clusterId = '00000000-0000-4000-8000-000000000001';

export function compose(dispatcher: Dispatcher, parts: ComposeParts): Composed {
  const { engine, node, incarnation, options } = parts;
  registerKinds(dispatcher);
  const { shardLimits } = options;
  const place = composePlace(dispatcher, shardPlace, {
    engine,
    node,
    incarnation,
    clusterId,
    shardLimits,
  });
  return {
    sessions: new Sessions(dispatcher, shardPlace, () => undefined),
    ready: () => place.ready(),
    onLink: () => undefined,
  };
}
