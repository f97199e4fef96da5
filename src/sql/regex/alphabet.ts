/**
 * The characters of a pattern's sets as a few classes: characters that no set tells apart are one
 * class, so that automatons have few transitions.
 */
import { type CharacterSet, contains, namedClass, newline } from './character-set.js';
import { must } from '../../base/assert.js';
import { failPattern } from './failure.js';

/** What conditions ask of a character. */
export type CharacterKind = 0 | 1 | 2 | 3;

/** No character: the start or the end of the text. */
export const nothing = 0;
export const newlineKind = 1;
export const wordKind = 2;
const otherKind = 3;

const classesMax = 0xffff;

/** The classes of a set: one class, or a mark for each. */
export type ClassSet = number | Uint8Array;

export class Alphabet {
  readonly classCount: number;
  /** By class; only told apart when the pattern has conditions. */
  readonly kinds: Uint8Array;
  /** First characters of intervals, ascending, and their classes. */
  readonly #starts: readonly number[];
  readonly #classes: readonly number[];
  readonly #ascii = new Uint16Array(128);

  constructor(sets: readonly CharacterSet[], withConditions: boolean) {
    const word = withConditions ? must(namedClass('word'), 'a class of ours') : [];
    const told = withConditions ? [...sets, newline, word] : sets;
    this.#starts = [...new Set([0, ...told.flatMap((set) => boundsOf(set))])].sort((a, b) => a - b);
    const { classes, count } = classify(this.#starts, told);
    this.#classes = classes;
    this.classCount = count;
    if (count > classesMax) failPattern('tooComplex');
    this.kinds = new Uint8Array(count);
    if (withConditions) {
      for (const [i, start] of this.#starts.entries()) {
        const kind = start === 10 ? newlineKind : contains(word, start) ? wordKind : otherKind;
        this.kinds[classes[i] ?? 0] = kind;
      }
    }
    for (let i = 0; i < 128; i += 1) this.#ascii[i] = this.#find(i);
  }

  classOf(character: number): number {
    return character < 128 ? (this.#ascii[character] ?? 0) : this.#find(character);
  }

  /** The classes that make up a set, which is one of those that the alphabet was made of. */
  classesOf(set: CharacterSet): ClassSet {
    const marks = new Uint8Array(this.classCount);
    let only = -1;
    let count = 0;
    for (const [i, start] of this.#starts.entries()) {
      const one = this.#classes[i] ?? 0;
      if (marks[one] === 1 || !contains(set, start)) continue;
      marks[one] = 1;
      only = one;
      count += 1;
    }
    return count === 1 ? only : marks;
  }

  #find(character: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= character) low = middle;
      else high = middle - 1;
    }
    return this.#classes[low] ?? 0;
  }
}

/** Where intervals begin that are all in the set or all outside. */
function boundsOf(set: CharacterSet): number[] {
  return set.map((bound, i) => bound + (i & 1));
}

interface Classes {
  readonly classes: readonly number[];
  readonly count: number;
}

/** A class for each interval: intervals in the same sets share one. */
function classify(starts: readonly number[], sets: readonly CharacterSet[]): Classes {
  const opening = new Map<number, number[]>();
  for (const [id, set] of sets.entries()) {
    for (const bound of boundsOf(set)) {
      const list = opening.get(bound);
      if (list === undefined) opening.set(bound, [id]);
      else list.push(id);
    }
  }
  const within = new Set<number>();
  const known = new Map<string, number>();
  const classes = starts.map((start) => {
    for (const id of opening.get(start) ?? []) {
      if (!within.delete(id)) within.add(id);
    }
    const signature = [...within].sort((a, b) => a - b).join();
    const one = known.get(signature) ?? known.size;
    known.set(signature, one);
    return one;
  });
  return { classes, count: known.size };
}
