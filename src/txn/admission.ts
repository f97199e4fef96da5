/**
 * Whether a proposal may commit: the first committer wins (Berenson et al., "A Critique of ANSI SQL
 * Isolation Levels", 1995). A key that it writes or guards must have no version newer than its
 * snapshot, neither applied nor on its way. A key that it both writes and guards must not have been
 * guarded by others since either: a row that is taken away while another comes to reference it.
 */
import { must } from '../base/assert.js';
import { byteString } from '../base/bytes.js';
import type { LogIndex, Timestamp } from '../base/ids.js';
import type { GuardedKeys } from './guarded-keys.js';
import type { Latches } from './latches.js';
import type { CheckedVersions, ShardState } from './state.js';
import type { Proposal, Write } from './transaction.js';
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

/**
 * The check of one proposal, in steps that fit a turn. Between two steps entries may be applied; no
 * other proposal may be admitted, or a key that was looked at could be written by it.
 */
export class AdmissionCheck {
  readonly #proposal: Proposal;
  readonly #state: ShardState;
  readonly #reader: VersionReader;
  readonly #latches: Latches;
  readonly #guarded: GuardedKeys;
  /** The guards as byte strings; undefined without any. */
  readonly #guardNames: ReadonlySet<string> | undefined;
  readonly #burials: number;
  readonly #keys: string[] = [];
  readonly #versions: (Uint8Array | undefined)[];
  /** Guards and writes looked at. */
  #guards = 0;
  #writes = 0;

  constructor(
    proposal: Proposal,
    state: ShardState,
    reader: VersionReader,
    latches: Latches,
    guarded: GuardedKeys,
  ) {
    const { guards } = proposal;
    this.#guarded = guarded;
    this.#guardNames = guards.length === 0 ? undefined : new Set(guards.map(byteString));
    this.#proposal = proposal;
    this.#versions = new Array<Uint8Array | undefined>(proposal.writes.length);
    this.#state = state;
    this.#reader = reader;
    this.#latches = latches;
    this.#burials = state.burials;
  }

  /**
   * Looks at up to `keysMax` more keys; undefined when some are left. `horizon` includes collections
   * on their way: below it newer versions may be gone unseen.
   */
  step(keysMax: number, horizon: Timestamp): Admission | undefined {
    const { snapshot, objects, guards, writes } = this.#proposal;
    for (const object of objects) {
      const until = this.#latches.fencer(object);
      if (until !== undefined || this.#state.minimumVersion(object.object) > object.version) {
        return { kind: 'refused', reason: 'staleObject', until };
      }
    }
    if (snapshot < horizon) return conflict(undefined);
    let left = keysMax;
    for (; this.#guards < guards.length && left > 0; left -= 1) {
      const guard = must(guards[this.#guards], 'a guard');
      const holder = this.#latches.size === 0 ? undefined : this.#latches.holder(byteString(guard));
      if (holder !== undefined) return conflict(holder);
      const newest = this.#reader.get(guard);
      if (newest !== undefined && timestampOf(newest) > snapshot) return conflict(undefined);
      this.#guards += 1;
    }
    for (; this.#writes < writes.length && left > 0; left -= 1) {
      const refusal = this.#look(must(writes[this.#writes], 'a write'));
      if (refusal !== undefined) return refusal;
      this.#writes += 1;
    }
    if (this.#guards < guards.length || this.#writes < writes.length) return undefined;
    const checked = { burials: this.#burials, versions: this.#versions };
    return { kind: 'admitted', keys: this.#keys, checked };
  }

  #look(write: Write): Admission | undefined {
    if (write.op === 'advance' || write.op === 'discard') {
      return undefined;
    }
    const name = byteString(write.key);
    const holder = this.#latches.holder(name);
    if (holder !== undefined) return conflict(holder);
    if (this.#guardNames?.has(name) === true) {
      const since = this.#guarded.guardedSince(name, this.#proposal.snapshot);
      if (since !== 'no') return conflict(since === 'unknown' ? undefined : since);
    }
    const newest = this.#reader.get(write.key);
    if (newest === undefined) {
      // It leaves no version: who were refused because of it could be admitted the next time.
      if (write.op === 'delete') return undefined;
    } else {
      if (timestampOf(newest) > this.#proposal.snapshot) return conflict(undefined);
      this.#versions[this.#writes] = Buffer.from(newest);
    }
    this.#keys.push(name);
    return undefined;
  }
}

function conflict(until: LogIndex | undefined): Admission {
  return { kind: 'refused', reason: 'conflict', until };
}
