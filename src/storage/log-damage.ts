/**
 * What is known to be damaged in a group's log, as a record beside its hard state: found once, it
 * stays known until the log is begun anew (RaftLog.install), whatever becomes of the damaged bytes.
 */
import type { ShardId } from '../base/ids.js';
import type { Put } from './engine.js';
import { groupKey } from './keys.js';

export interface Damage {
  /** A newer hard state may have been lost: the group may have promised what it does not know of. */
  readonly hardState: boolean;
  readonly text: string;
}

export function damageNote(group: ShardId, hardState: boolean, text: string): Put {
  const value = Buffer.concat([Buffer.of(hardState ? 1 : 0), Buffer.from(text)]);
  return { key: groupKey('damage', group), value };
}

export function decodeDamage(value: Uint8Array): Damage {
  return { hardState: value[0] === 1, text: Buffer.from(value.subarray(1)).toString() };
}
