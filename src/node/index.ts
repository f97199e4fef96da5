/**
 * A node: configuration, directory, stores, runtime, sessions and doors put together, started and
 * stopped.
 *
 * Guarantees: a node that cannot start throws an error of the catalogue and leaves nothing behind; a
 * stop lets statements end, rolls the rest back, makes what was committed durable and releases the
 * directory; nothing is read from the environment or printed but by {@link loadConfig} and the log.
 *
 * Must not know: how statements, shards and stores work inside.
 */
export {
  ClusterHost,
  type ClusterHostParts,
  type FormationStore,
  type Links,
  type PeerAddress,
} from './cluster-host.js';
export {
  checkConfig,
  inMemory,
  type LogThreshold,
  loadConfig,
  type NodeConfig,
  type PartialConfig,
} from './config.js';
export { exitCodeOf, exitCodeOfCrash, exitCodes } from './exit-codes.js';
export { logLevels, type NodeLog, openLog } from './log.js';
export { type ConfigOption, configOptions, environmentName } from './options.js';
export { zlibPacker } from './packer.js';
export {
  type ComposedPlace,
  composePlace,
  loneReplica,
  onlyShard,
  type PlaceParts,
  registerKinds,
  replicaRef,
  shardPlace,
} from './place.js';
export { type NodeHooks, type RunningNode, startNode } from './running-node.js';
export { endWith, runNode } from './process.js';
export { serverFiles } from './server-files.js';
export {
  removeTemporaryFiles,
  TemporaryFiles,
  temporaryDirectory,
} from './temporary-files.js';
export { Sessions } from './sessions.js';
export { defaultTiming, timingOf } from './timing.js';
export { packageVersion } from './version.js';
