/**
 * The simulator: a whole node, SQL included, in one thread from one seed, under virtual time and on a
 * simulated disk, killed at random turns.
 *
 * It guarantees that a seed run twice gives the same trace, and that a run ends with a violation if a
 * checker of a workload or an assertion of the product was broken. Every message is encoded and
 * decoded. It must not know how a node is put together: it uses the same composition as a real one
 * and replaces only clock, scheduling, randomness and disk. Beside it, groups of Raft cores alone (raft/)
 * run a hundred times as many seeds.
 */
export { loadParser } from '../sql/index.js';
export { isLinearizable, type Model, type Operation } from './checkers/linearizable.js';
export { Failover } from './failover.js';
export { type Plant, plants } from './options.js';
export { type RunRequest, type RunResult, runCluster, runLone } from './run.js';
export { CoreMember, type MemberSettings, type Surroundings } from './raft/member.js';
export { type GroupResult, runGroup } from './raft/run.js';
