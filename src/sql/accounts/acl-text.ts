/** Rights and grants as texts: PostgreSQL's letters, words and aclitem. */
import { raise } from '../../base/errors.js';
import type { ObjectId } from '../../base/ids.js';
import { everyone, type Grant, type GrantableKind, right } from '../catalogue/index.js';

/** Letters in the order in which an aclitem has them. */
const letters: readonly (readonly [string, number])[] = [
  ['a', right.insert],
  ['r', right.select],
  ['w', right.update],
  ['d', right.delete],
  ['D', right.truncate],
  ['x', right.references],
  ['t', right.trigger],
  ['X', right.execute],
  ['U', right.usage],
  ['C', right.create],
  ['T', right.temporary],
  ['c', right.connect],
];

const words: ReadonlyMap<string, number> = new Map([
  ['insert', right.insert],
  ['select', right.select],
  ['update', right.update],
  ['delete', right.delete],
  ['truncate', right.truncate],
  ['references', right.references],
  ['trigger', right.trigger],
  ['execute', right.execute],
  ['usage', right.usage],
  ['create', right.create],
  ['temp', right.temporary],
  ['temporary', right.temporary],
  ['connect', right.connect],
]);

/** The right of a word of GRANT; undefined for a word that is none. */
export function rightOfWord(word: string): number | undefined {
  return words.get(word.toLowerCase());
}

/** The word of one right. */
export function wordOfRight(bit: number): string {
  for (const [word, one] of words) {
    if (one === bit && word !== 'temp') return word.toUpperCase();
  }
  return raise('internal_error', `right ${bit} has no word`);
}

/** The single rights in `rights`, in the order of their bits. */
export function singleRights(rights: number): readonly number[] {
  return [...new Set(words.values())].filter((bit) => (rights & bit) !== 0).sort((a, b) => a - b);
}

const plain = /^[A-Za-z0-9_\u0080-\uffff]+$/;

function quoted(name: string): string {
  return plain.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** A grant as an aclitem prints: `alice=r*w/admin`. */
export function grantText(
  { grantee, grantor, rights, options }: Grant,
  nameOf: (role: ObjectId) => string,
): string {
  const shown = letters
    .filter(([, bit]) => (rights & bit) !== 0)
    .map(([letter, bit]) => ((options & bit) === 0 ? letter : `${letter}*`));
  const to = grantee === everyone ? '' : quoted(nameOf(grantee));
  return `${to}=${shown.join('')}/${quoted(nameOf(grantor))}`;
}

/** Reads what `grantText` prints. Raises invalid_text_representation and undefined_object. */
export function grantOfText(text: string, roleNamed: (name: string) => ObjectId): Grant {
  const found = /^(?:(?:group|user)\s+)?("(?:[^"]|"")*"|[^=\s"]*)=([A-Za-z*]*)(?:\/(.+))?$/.exec(
    text.trim(),
  );
  if (found === null) raise('invalid_text_representation', `invalid aclitem: "${text}"`);
  const [, to = '', marks = '', by] = found;
  const name = (shown: string): string =>
    shown.startsWith('"') ? shown.slice(1, -1).replaceAll('""', '"') : shown;
  let rights = 0;
  let options = 0;
  for (const [, letter, star] of marks.matchAll(/([A-Za-z])(\*?)/g)) {
    const bit = letters.find(([one]) => one === letter)?.[1];
    if (bit === undefined) {
      const text = `invalid mode character: must be one of "${letters.map(([one]) => one).join('')}"`;
      raise('invalid_text_representation', text);
    }
    rights |= bit;
    if (star !== '') options |= bit;
  }
  const grantee = to === '' ? everyone : roleNamed(name(to));
  return { grantee, grantor: by === undefined ? grantee : roleNamed(name(by)), rights, options };
}

/** What kinds of objects are called in errors about their rights. */
export const kindWords: Readonly<Record<GrantableKind, string>> = {
  table: 'relation',
  sequence: 'sequence',
  database: 'database',
  function: 'function',
  schema: 'schema',
  type: 'type',
};
