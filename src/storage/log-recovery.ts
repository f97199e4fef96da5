/**
 * Reads the log file at open: which segments count, what lives in them, where the next frame goes.
 *
 * The newest frame says with which segment the log begins. From there on sequence numbers have no gap:
 * - Whatever comes after the last frame is the rest of a write that a crash cut short, or of an earlier
 *   use of the segment (lower numbers): nobody was told that it is durable. The last frame itself is
 *   one of these when a value in it fails its checksum, unless the log was closed after it.
 * - A gap with frames behind it is damage: frames that were durable are gone. What they held is not
 *   known, so nothing that lies before them may be trusted (it may have been replaced or removed).
 */
import { must } from '../base/assert.js';
import { raise } from '../base/errors.js';
import type { ShardId } from '../base/ids.js';
import type { Put } from './engine.js';
import { parseKey } from './keys.js';
import { checksumBytes } from './checksum.js';
import { findFrame, type Frame, frameRecords, readFrame, soundValue } from './log-frame.js';
import { type Segment, SegmentReader } from './log-segments.js';
import { isLogKey, LiveRecords } from './live-records.js';

/** What a log file holds. */
export interface RecoveredLog {
  /** In the order of their use, the last is the one being written. */
  readonly segments: readonly Segment[];
  readonly spares: readonly Segment[];
  readonly live: LiveRecords;
  /** Of the last frame. */
  readonly sequence: number;
  /** The log was closed after it. */
  readonly closed: boolean;
  /** The keys of the newest frame that held others than the log's, and its number. */
  readonly redo: { readonly sequence: number; readonly puts: readonly Put[] } | undefined;
  /**
   * Where a frame begins that a crash has cut short: to be struck out, because its number is given again,
   * and not always in this place.
   */
  readonly torn: { readonly segment: Segment; readonly at: number } | undefined;
  /** Undefined when all is sound. */
  readonly damage: LogDamage | undefined;
}

export interface LogDamage {
  /** Which frames are gone. */
  readonly text: string;
  /** Groups whose hard state was not written again behind the damage. */
  readonly hardStates: ReadonlySet<ShardId>;
}

interface Chain {
  readonly segment: Segment;
  readonly reader: SegmentReader;
  readonly frames: Frame[];
}

export function recoverLog(all: readonly Segment[], salt: Buffer): RecoveredLog {
  const chains: Chain[] = [];
  const blank: Segment[] = [];
  for (const segment of all) {
    const chain = chainOf(segment, (reader) => readFrame(reader, 0, salt));
    if (chain === undefined) blank.push(segment);
    else chains.push(chain);
  }
  sort(chains);
  const first = chains.at(-1);
  const newest = first && readOn(first, undefined, salt);
  const spares: Segment[] = [];
  for (const segment of blank) {
    const chain = findHidden(segment, newest, salt);
    if (chain === undefined) spares.push(segment);
    else {
      readOn(chain, undefined, salt);
      chains.push(chain);
    }
  }
  sort(chains);
  if (chains.length === 0) raise('directory_damaged', 'the log holds no frame any more');
  const torn = dropTorn(chains, spares, salt);
  return { ...replay(chains, spares, salt), torn };
}

function sort(chains: Chain[]): void {
  chains.sort((a, b) => a.segment.first - b.segment.first);
}

function chainOf(
  segment: Segment,
  find: (reader: SegmentReader) => Frame | undefined,
): Chain | undefined {
  const reader = new SegmentReader(segment);
  const first = find(reader);
  if (first === undefined) return undefined;
  segment.first = first.sequence;
  return { segment, reader, frames: [first] };
}

/** Adds all frames of a segment up to `nextFirst`, also those behind damage; gives the last. */
function readOn(
  { segment, reader, frames }: Chain,
  nextFirst: number | undefined,
  salt: Buffer,
): Frame {
  for (;;) {
    const last = must(frames.at(-1), 'a chain has a frame');
    const end = last.at + last.bytes;
    const next = readFrame(reader, end, salt);
    if (next?.sequence === last.sequence + 1) {
      frames.push(next);
      continue;
    }
    // Complete: the next segment goes on here.
    if (nextFirst === last.sequence + 1) return last;
    const found = findFrame(reader.to(segment.bytes), end, last.sequence + 1, salt);
    if (found === undefined) return last;
    frames.push(found);
  }
}

/** The frames newer than `newest` in a segment whose first frame cannot be read. */
function findHidden(segment: Segment, newest: Frame | undefined, salt: Buffer): Chain | undefined {
  return chainOf(segment, (reader) => {
    // A segment that was never used need not be looked through after a clean end.
    const begin = reader.to(1);
    if (newest?.closed === true && begin.equals(Buffer.alloc(begin.length))) return undefined;
    return findFrame(reader.to(segment.bytes), 0, (newest?.sequence ?? 0) + 1, salt);
  });
}

/** Forgets the last frame if it was cut short, and says where it lay; its segment may be unused then. */
function dropTorn(chains: Chain[], spares: Segment[], salt: Buffer): RecoveredLog['torn'] {
  const newest = must(chains.at(-1), 'a log has frames');
  const last = must(newest.frames.at(-1), 'a chain has a frame');
  if (last.closed || sound(newest, last)) return undefined;
  newest.frames.pop();
  if (newest.frames.length === 0) {
    spares.push(newest.segment);
    chains.pop();
    const before = chains.at(-1);
    if (before !== undefined) readOn(before, undefined, salt);
  }
  return { segment: newest.segment, at: last.at };
}

function sound({ reader }: Chain, frame: Frame): boolean {
  const end = frame.at + frame.bytes;
  const bytes = reader.to(end);
  if (bytes.length < end) return false;
  return frameRecords(bytes, frame).every(
    ({ key, place }) =>
      place === undefined || soundValue(key, bytes.subarray(place.at, place.at + place.bytes)),
  );
}

/** Takes the records of all frames that count, in order. */
function replay(
  chains: readonly Chain[],
  spares: Segment[],
  salt: Buffer,
): Omit<RecoveredLog, 'torn'> {
  const newest = chains.at(-1)?.frames.at(-1);
  if (newest === undefined) raise('directory_damaged', 'the log holds no frame any more');
  const counting = chains.filter(({ segment }) => segment.first >= newest.oldest);
  for (const { segment } of chains) if (segment.first < newest.oldest) spares.push(segment);
  const live = new LiveRecords();
  let redo: RecoveredLog['redo'];
  let expected = newest.oldest;
  let hardStates = new Set<ShardId>();
  const gone: string[] = [];
  for (const [at, chain] of counting.entries()) {
    const { segment, reader, frames } = chain;
    const next = counting[at + 1]?.segment;
    if (next !== undefined) readOn(chain, next.first, salt);
    for (const frame of frames) {
      if (frame.sequence !== expected) {
        gone.push(`${expected} to ${frame.sequence - 1}`);
        hardStates = new Set(live.groups);
      }
      expected = frame.sequence + 1;
      const bytes = reader.to(frame.at + frame.bytes);
      const others = take(live, hardStates, segment, bytes, frame);
      if (others.length > 0) redo = { sequence: frame.sequence, puts: others };
      segment.end = frame.at + frame.bytes;
    }
    reader.forget();
  }
  return {
    segments: counting.map(({ segment }) => segment),
    spares,
    live,
    sequence: newest.sequence,
    closed: newest.closed,
    redo,
    damage:
      gone.length === 0
        ? undefined
        : { text: `frames ${gone.join(', ')} of the log are damaged`, hardStates },
  };
}

/**
 * Takes a frame's records; gives those that are not the log's own. A hard state that it holds is in
 * doubt no more.
 */
function take(
  live: LiveRecords,
  hardStates: Set<ShardId>,
  segment: Segment,
  bytes: Buffer,
  frame: Frame,
): readonly Put[] {
  const others: Put[] = [];
  for (const { key, place } of frameRecords(bytes, frame)) {
    if (isLogKey(key)) {
      live.set(key, place && { ...place, segment: segment.number });
      const parsed = parseKey(key);
      if (parsed.space === 'hardState') hardStates.delete(parsed.group);
      continue;
    }
    const stored = place && bytes.subarray(place.at, place.at + place.bytes);
    if (stored !== undefined && !soundValue(key, stored)) {
      raise('data_corrupted', `frame ${frame.sequence} of the log fails a checksum`);
    }
    others.push({ key, value: stored?.subarray(checksumBytes) });
  }
  return others;
}
