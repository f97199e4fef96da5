/**
 * Whether a proposal may commit: the first committer wins (Berenson et al., "A Critique of ANSI SQL
 * Isolation Levels", 1995). A key that it writes or guards must have no version newer than its
 * snapshot, neither applied nor on its way.
 */
import { byteString } from '../base/bytes.js';
import type { LogIndex } from '../base/ids.js';
import type { Latches } from './latches.js';
import type { CheckedVersions, ShardState } from './state.js';
import type { Proposal } from './transaction.js';
import type { VersionReader } from './read.js';
import { timestampOf } from './version.js';

export type Admission =
  | {
      readonly kind: 'admitted';
      /** The keys to latch, as byte strings. */
      readonly keys: readonly string[];
      readonly checked: CheckedVersions;
    }
  | {
      readonly kind: 'refused';
      readonly reason: 'conflict' | 'staleObject';
      /** The entry in flight that it met; undefined when the change is applied already. */
      readonly until: LogIndex | undefined;
    };

/** `horizon` includes collections on their way: below it newer versions may be gone unseen. */
export function admit(
  proposal: Proposal,
  state: ShardState,
  reader: VersionReader,
  latches: Latches,
  horizon: number,
): Admission {
  for (const object of proposal.objects) {
    const until = latches.fencer(object);
    if (until !== undefined || state.minimumVersion(object.object) > object.version) {
      return { kind: 'refused', reason: 'staleObject', until };
    }
  }
  const { snapshot } = proposal;
  if (snapshot < horizon) return conflict(undefined);
  for (const guard of proposal.guards) {
    const holder = latches.size === 0 ? undefined : latches.holder(byteString(guard));
    if (holder !== undefined) return conflict(holder);
    const newest = reader.get(guard);
    if (newest !== undefined && timestampOf(newest) > snapshot) return conflict(undefined);
  }
  const keys: string[] = [];
  const versions: (Uint8Array | undefined)[] = [];
  for (const write of proposal.writes) {
    if (write.op === 'advance' || write.op === 'discard') {
      versions.push(undefined);
      continue;
    }
    const name = byteString(write.key);
    const holder = latches.holder(name);
    if (holder !== undefined) return conflict(holder);
    const newest = reader.get(write.key);
    if (newest !== undefined && timestampOf(newest) > snapshot) return conflict(undefined);
    versions.push(newest === undefined ? undefined : Buffer.from(newest));
    keys.push(name);
  }
  return { kind: 'admitted', keys, checked: { burials: state.burials, versions } };
}

function conflict(until: LogIndex | undefined): Admission {
  return { kind: 'refused', reason: 'conflict', until };
}
