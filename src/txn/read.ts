/**
 * Snapshot reads: the newest version of a key that is not newer than a timestamp.
 *
 * The newest version lies under the bare key, so a read of recent data is one exact get. A reader
 * that meets a version too new for it looks among the older ones, which lie newest first.
 */
import { successor } from '../base/bytes.js';
import type { Timestamp } from '../base/ids.js';
import type { Span, Visit } from '../storage/engine.js';
import { historyKey } from '../storage/keys.js';
import { isCounter, isTombstone, payloadOf, timestampOf } from './version.js';

/** Where versions are read: the overlay over the engine. */
export interface VersionReader {
  /** Valid until the next call. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** `visit` must not call the reader. */
  scan(span: Span, visit: Visit, reverse?: boolean): void;
}

/** The payload seen at `at`, valid until the next call of the reader; undefined when absent or deleted. */
export function getVersion(
  reader: VersionReader,
  key: Uint8Array,
  at: Timestamp,
): Uint8Array | undefined {
  const newest = reader.get(key);
  if (newest === undefined) return undefined;
  const seen = visibleAt(newest, at) ? newest : olderVersion(reader, key, at);
  return seen === undefined || isTombstone(seen) ? undefined : payloadOf(seen);
}

/**
 * The whole version of `key` that is the newest up to `at`, a tombstone too; a copy. Of a counter only what
 * it is now.
 */
export function versionAt(
  reader: VersionReader,
  key: Uint8Array,
  at: Timestamp,
): Uint8Array | undefined {
  const newest = reader.get(key);
  if (newest === undefined) return undefined;
  return timestampOf(newest) <= at ? Buffer.from(newest) : olderVersion(reader, key, at);
}

/**
 * Visits the live pairs of `span` at `at` in order of key. The span lies within one kind of a
 * storage, and not in its history.
 */
export function scanVersions(
  reader: VersionReader,
  span: Span,
  at: Timestamp,
  visit: Visit,
  reverse = false,
): void {
  let rest: Span | undefined = span;
  while (rest !== undefined) {
    const tooNew = scanUntilTooNew(reader, rest, at, visit, reverse);
    if (tooNew === undefined) return;
    const older = olderVersion(reader, tooNew, at);
    if (older !== undefined && !isTombstone(older) && !visit(tooNew, payloadOf(older))) return;
    rest = reverse ? { from: rest.from, to: tooNew } : { from: successor(tooNew), to: rest.to };
  }
}

/** The versions of `key` that are not the newest and not newer than `at`, newest first. */
export function historySpan(key: Uint8Array, at: Timestamp): Span {
  return { from: historyKey(key, at), to: successor(historyKey(key, 0 as Timestamp)) };
}

function visibleAt(version: Uint8Array, at: Timestamp): boolean {
  return timestampOf(version) <= at || isCounter(version);
}

function olderVersion(
  reader: VersionReader,
  key: Uint8Array,
  at: Timestamp,
): Uint8Array | undefined {
  let found: Uint8Array | undefined;
  reader.scan(historySpan(key, at), (_key, value) => {
    // A copy: the scan's arrays end with the visit.
    found = Buffer.from(value);
    return false;
  });
  return found;
}

/** Visits pairs until the end, or up to a key whose newest version is too new: that key, copied. */
function scanUntilTooNew(
  reader: VersionReader,
  span: Span,
  at: Timestamp,
  visit: Visit,
  reverse: boolean,
): Uint8Array | undefined {
  let tooNew: Uint8Array | undefined;
  reader.scan(
    span,
    (key, value) => {
      if (!visibleAt(value, at)) {
        tooNew = Buffer.from(key);
        return false;
      }
      return isTombstone(value) || visit(key, payloadOf(value));
    },
    reverse,
  );
  return tooNew;
}
