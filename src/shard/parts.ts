/** Puts a replica together: its parts, and what each is given of the others. */
import type { Context, Place, Ref } from '../actors/actor.js';
import { DatabaseError, raise } from '../base/errors.js';
import type { LogIndex, NodeId, ShardId, Term } from '../base/ids.js';
import { Random } from '../base/random.js';
import {
  type Members as Membership,
  RaftNode,
  type RaftRules,
  type RaftTiming,
  type Ready,
} from '../raft/index.js';
import {
  type Configuration,
  encodeConfiguration,
  type Engine,
  type HardState,
  type LogReader,
  Overlay,
  RaftLog,
} from '../storage/index.js';
import { groupKey } from '../storage/keys.js';
import { CommitClock, GarbageQueue, OpenSnapshots, Sequences, ShardState } from '../txn/index.js';
import { ReplicaAccess } from './access.js';
import { Answers, type Ask } from './answers.js';
import { Applier } from './applier.js';
import { Collector } from './collector.js';
import { Driver } from './driver.js';
import { Epochs } from './epochs.js';
import { Feed, type LogHolders } from './feed.js';
import {
  decodeMark,
  type ImageMark,
  ImageReceiver,
  type ImageReceiverParts,
} from './image-receiver.js';
import { ImageSender, type ImageSenderParts } from './image-sender.js';
import { imageStart } from './image-source.js';
import { Hashes } from './hashes.js';
import { Leadership } from './leadership.js';
import type { Listeners } from './listeners.js';
import type { LockDesk } from './lock-desk.js';
import { LockLeases } from './lock-leases.js';
import type { ShardLimits } from './limits.js';
import { Members } from './members.js';
import type { ReplicaMessage } from './messages.js';
import { type ShardSeries, shardSeries } from './metrics.js';
import { Outbox } from './outbox.js';
import { clusterHash } from './peer.js';
import { chunkPacker, type Packing } from './packing.js';
import type { NewsMessage } from './protocol.js';
import { Reads } from './reads.js';
import { shardMetrics, storeEngine } from './resources.js';
import { SessionSide } from './session-side.js';
import { Retention } from './retention.js';
import { membersOf, Standing } from './standing.js';
import { WatchedLog } from './watched-log.js';

/** What a replica is made of; see ReplicaArguments. */
export interface ReplicaParts {
  readonly shard: ShardId;
  readonly node: NodeId;
  /** No epoch below it is taken. */
  readonly incarnation: number;
  /** UUID of the cluster. */
  readonly clusterId: string;
  readonly genesis: Membership | undefined;
  readonly witness: boolean;
  readonly timing: RaftTiming;
  readonly observer: Ref<NewsMessage> | undefined;
  /** How chunks of snapshots are compressed. */
  readonly packing: Packing;
  readonly limits: ShardLimits;
  readonly rules: RaftRules | undefined;
}

/** What a life of the Raft core begins with beside what the disk holds. */
export interface RaftLife {
  readonly nowMs: number;
  readonly random: Random;
  readonly needsSnapshot: boolean;
  readonly lostEntries: boolean;
}

/** The parts that the replica brings messages to. */
export interface Parts {
  readonly shard: ShardId;
  readonly node: NodeId;
  readonly cluster: number;
  readonly incarnation: number;
  readonly witness: boolean;
  readonly limits: ShardLimits;
  readonly series: ShardSeries;
  readonly log: RaftLog;
  readonly overlay: Overlay;
  readonly state: ShardState;
  readonly driver: Driver;
  readonly answers: Answers;
  readonly leadership: Leadership;
  readonly applier: Applier;
  readonly outbox: Outbox;
  readonly reads: Reads;
  readonly feed: Feed;
  readonly collector: Collector;
  readonly retention: Retention;
  readonly snapshots: OpenSnapshots;
  readonly sequences: Sequences;
  readonly epochs: Epochs;
  readonly standing: Standing;
  readonly hashes: Hashes;
  readonly members: Members;
  readonly access: ReplicaAccess;
  readonly imageSender: ImageSender;
  readonly imageReceiver: ImageReceiver;
  readonly listeners: Listeners;
  readonly leases: LockLeases;
  readonly locks: LockDesk;
  /** A new life of the Raft core, from what log and state hold now. */
  readonly makeRaft: (life: RaftLife) => RaftNode;
}

const noMembers: Configuration = { voters: [], outgoing: [], learners: [], witnesses: [] };
const noBytes = new Uint8Array(0);
/** An image is wanted, and nothing of it is here. */
const nothingYet: ImageMark = { head: undefined, through: imageStart, garbage: 0 };
/** A life begins with the first message, which brings the time. */
const unborn = { nowMs: 0, random: new Random(0), lostEntries: false };
const mebibyte = 1024 * 1024;
/** What a leader has on its way to one member. */
const flow = { appendBytesMax: mebibyte, inFlightBytesMax: 8 * mebibyte, inFlightMessagesMax: 256 };

/** What parts have the replica do. */
export interface ReplicaCalls {
  /** Told what a Ready asks of others. */
  readonly onReady: (ready: Ready, context: Context<ReplicaMessage>) => void;
  /** Takes a proposal of the node itself. */
  readonly propose: (ask: Ask, context: Context<ReplicaMessage>) => void;
}

export function makeParts(
  given: ReplicaParts,
  place: Place,
  self: Ref<ReplicaMessage>,
  { onReady, propose }: ReplicaCalls,
): Parts {
  const { shard, node, limits, witness, clusterId, incarnation, observer } = given;
  const cluster = clusterHash(clusterId);
  const engine = place.resource(storeEngine);
  const series = shardSeries(place.resource(shardMetrics), shard);
  const { overlay, log, garbage, state, mark, clock, configuration } = openState(given, engine);
  const appliedIndex = (): LogIndex => state.index;
  const watched = new WatchedLog(log, () => standing.noteLogDamage());
  const makeRaft = (life: RaftLife): RaftNode =>
    newRaft(given, watched, log.hardState, state, clock, configuration, life);
  const raft = makeRaft({ ...unborn, needsSnapshot: mark !== undefined });
  const driver = new Driver({
    ...{ shard, node, clusterId, cluster, self, log, raft, configuration, limits, series, onReady },
    onStoodStill: (forMs) => locks.stoodStill(forMs),
  });
  const answers = new Answers({ driver, series, cluster, appliedIndex });
  const sequences = new Sequences(overlay);
  const snapshots = new OpenSnapshots();
  const retention = new Retention(limits);
  const collector = new Collector({
    ...{ state, overlay, garbage, snapshots, limits, retention },
    hasOthers: () => membersOf(driver.raft.configuration).size > 1,
    isHeld: () => imageSender.isBusy,
  });
  const horizon = () => collector.horizon;
  const leases = new LockLeases({ state, lockLeaseMs: limits.lockLeaseMs });
  const leadership = new Leadership({
    ...{ node, limits, series, driver, state, overlay, answers, clock, sequences, horizon, leases },
  });
  const epochs = new Epochs();
  const standing = new Standing({ shard, witness, epochs, observer }, mark === undefined);
  const desk = { node, limits, state, driver, epochs, standing, leases };
  const { listeners, locks, onNews, onGap } = new SessionSide(desk, propose);
  const feed = new Feed({
    ...{ shard, overlay, log, state, driver, limits, series, witness },
    holders: (nowMs) => logHolders(driver.raft, imageSender, limits, nowMs),
  });
  const applier = new Applier({
    ...{ limits, log: watched, driver, state, overlay, garbage, clock, leadership, answers },
    ...{ epochs, feed, collector, witness, onNews },
  });
  const outbox = new Outbox({
    ...{ node, cluster, incarnation, limits, series, driver, answers, appliedIndex },
    onEpoch: (epoch) => epochs.take(epoch),
  });
  const reads = new Reads({ limits, series, driver, appliedIndex });
  const hashes = new Hashes({ state, overlay, snapshots, standing, limits });
  const imageParts = { shard, node, cluster, driver, log, state, overlay, limits, series };
  const receives = { engine, garbage, clock, feed, applier, standing, onGap };
  const { imageSender, imageReceiver } = makeImages(given, place, imageParts, receives, mark);
  const snapshotsOf = () => [...imageSender.status(), ...imageReceiver.status()];
  const members = new Members({
    ...{ shard, node, driver, log, state, overlay, standing, locks, snapshots: snapshotsOf },
  });
  const access = new ReplicaAccess({
    ...{ shard, replica: self, overlay, state, driver, snapshots, sequences, epochs, standing },
    ...{ listeners, locks },
  });
  return {
    ...{ shard, node, cluster, incarnation, witness, limits, series, log, overlay, state, driver },
    ...{ answers, leadership, applier, outbox, reads, feed, collector, retention, snapshots },
    ...{ sequences, epochs, standing, hashes, members, access, imageSender },
    ...{ imageReceiver, listeners, leases, locks, makeRaft },
  };
}

function makeImages(
  { packing }: ReplicaParts,
  place: Place,
  parts: Omit<
    ImageSenderParts & ImageReceiverParts,
    'packer' | 'packing' | 'storeBytes' | keyof Receives
  >,
  receives: Receives,
  mark: ImageMark | undefined,
): Pick<Parts, 'imageSender' | 'imageReceiver'> {
  const packer = place.resource(chunkPacker);
  const storeBytes = (): number => receives.engine.stats().usedBytes;
  return {
    imageSender: new ImageSender({ ...parts, packer, packing, storeBytes }),
    imageReceiver: new ImageReceiver({ ...parts, packer, ...receives }, mark),
  };
}

/** What only who receives an image needs. */
type Receives = Pick<
  ImageReceiverParts,
  'engine' | 'garbage' | 'clock' | 'feed' | 'applier' | 'standing' | 'onGap'
>;

/** What the store holds of the group. */
function openState({ shard, clusterId, limits, genesis }: ReplicaParts, engine: Engine) {
  const overlay = new Overlay(engine);
  const log = new RaftLog(engine, shard, { tolerant: true });
  const { hardState } = log;
  if (hardState !== undefined && hardState.clusterId !== clusterId) {
    raise('directory_foreign', `the data belongs to cluster ${hardState.clusterId}`);
  }
  const configuration = genesis === undefined ? noMembers : { ...genesis, outgoing: [] };
  checkLog(log, configuration);
  const garbage = new GarbageQueue(limits.garbageItemsMax);
  const state = new ShardState(overlay, garbage, undefined);
  const mark = readMarkOrState(engine, shard, log, state, configuration);
  if (state.garbage > 0) garbage.forget();
  const clock = new CommitClock();
  clock.observe(state.timestamp);
  return { overlay, log, garbage, state, mark, clock, configuration };
}

function newRaft(
  given: ReplicaParts,
  log: LogReader,
  hardState: HardState | undefined,
  state: ShardState,
  clock: CommitClock,
  configuration: Configuration,
  life: RaftLife,
): RaftNode {
  const { node, timing, rules } = given;
  const draft = {
    transaction: 0 as never,
    origin: node,
    wallMs: 0,
    objects: [],
    client: undefined,
    request: undefined,
  };
  return new RaftNode(log, {
    id: node,
    ballot: { term: hardState?.term ?? (0 as Term), vote: hardState?.vote },
    configuration,
    appliedIndex: state.index,
    timing,
    flow,
    ...life,
    mayHavePromised: hardState !== undefined,
    noop: () => ({ ...draft, kind: 'noop', timestamp: clock.last, payload: noBytes }),
    configurationDraft: (to) => ({
      ...{ ...draft, kind: 'configuration', timestamp: clock.last },
      payload: encodeConfiguration(to),
    }),
    ...(rules === undefined ? {} : { rules }),
  });
}

/** Where the state stands. When its own records are rotten the other members have it, if there are any. */
function readMarkOrState(
  engine: Engine,
  shard: ShardId,
  log: RaftLog,
  state: ShardState,
  genesis: Configuration,
): ImageMark | undefined {
  try {
    return readMark(engine, shard) ?? readState(engine, shard, log, state);
  } catch (error) {
    // Who joins and knows no members yet is not alone: it is about to get all from them.
    const alone = membersOf(log.configuration ?? genesis).size === 1;
    if (alone || !(error instanceof DatabaseError) || error.kind !== 'data_corrupted') throw error;
    state.replace(undefined);
    return nothingYet;
  }
}

function readMark(engine: Engine, shard: ShardId): ImageMark | undefined {
  const bytes = engine.get(groupKey('image', shard));
  return bytes === undefined ? undefined : decodeMark(bytes);
}

/** What was applied, unless the log has lost a part of it: then there is no telling what belongs to it. */
function readState(
  engine: Engine,
  shard: ShardId,
  log: RaftLog,
  state: ShardState,
): ImageMark | undefined {
  const record = engine.get(groupKey('applied', shard));
  if (record === undefined) return undefined;
  state.replace(record);
  if (state.index <= log.lastIndex) return undefined;
  if (log.damage === undefined) {
    raise('data_corrupted', `the log ends at ${log.lastIndex}, before the applied state`);
  }
  state.replace(undefined);
  return nothingYet;
}

/** A log that has lost entries is filled again by the other members, if there are any. */
function checkLog(log: RaftLog, genesis: Configuration): void {
  const alone = membersOf(log.configuration ?? genesis).size <= 1;
  if (log.damage !== undefined && alone) raise('data_corrupted', log.damage);
}

/** Up to where, and to which length, the log is kept for members that lag. */
function logHolders(
  raft: RaftNode,
  images: ImageSender,
  limits: ShardLimits,
  nowMs: number,
): LogHolders {
  const { logTailBytes, logHeldBytes } = limits;
  if (membersOf(raft.configuration).size <= 1) {
    return { after: Number.POSITIVE_INFINITY, bytesMax: Number.POSITIVE_INFINITY };
  }
  // Who lags a follower does not know; it keeps some, in case that it leads next.
  if (raft.role !== 'leader') {
    return { after: 0, bytesMax: Math.max(logTailBytes, logHeldBytes / 4) };
  }
  const { progress } = raft.status(nowMs);
  // Who gets an image needs what comes after it.
  const needs = progress.map(({ node, matchIndex }) => images.indexOf(node) ?? matchIndex);
  const after = Math.min(...needs);
  return { after, bytesMax: logHeldBytes };
}
