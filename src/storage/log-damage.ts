/**
 * What is known to be damaged in a group's log, as a record beside its hard state: found once, it
 * stays known until the member has got back what it may have acknowledged (RaftLog.recovered), whatever
 * becomes of the damaged bytes.
 */
import { raise } from '../base/errors.js';
import type { ShardId } from '../base/ids.js';
import type { Put } from './engine.js';
import { groupKey } from './keys.js';

export interface Damage {
  /**
   * `hardState`: a newer one may have been lost, and with it a promise. `entries`: what the log holds may
   * have been replaced or removed by what was lost. `end`: what it holds is sound, more is lost.
   */
  readonly what: 'hardState' | 'entries' | 'end';
  readonly text: string;
}

const kinds: readonly Damage['what'][] = ['entries', 'hardState', 'end'];

export function damageNote(group: ShardId, what: Damage['what'], text: string): Put {
  const value = Buffer.concat([Buffer.of(kinds.indexOf(what)), Buffer.from(text)]);
  return { key: groupKey('damage', group), value };
}

export function decodeDamage(value: Uint8Array): Damage {
  const what = kinds[value[0] ?? kinds.length];
  if (what === undefined) raise('data_corrupted', 'a note of damage is of unknown kind');
  return { what, text: Buffer.from(value.subarray(1)).toString() };
}
