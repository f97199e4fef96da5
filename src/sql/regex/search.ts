/**
 * Finds matches in a text as src/backend/regex/regexec.c does: the first place where one can begin,
 * there the longest, or the shortest when the pattern prefers that, and within it each part in its turn
 * as much or as little as it prefers.
 */
import { must, unreachable } from '../../base/assert.js';
import { raise } from '../../base/errors.js';
import { Automaton, type StepBudget } from './automaton.js';
import { sameInAnyCase } from './character-set.js';
import { searchStepsMax } from './limits.js';
import type { CompiledPattern, Part } from './part.js';
import { lookAutomatonsOf, Subject } from './subject.js';

/**
 * Where a match and its groups lie: start and end of each in characters, -1 for a group that took no
 * part. The match itself is group 0.
 */
export type Match = readonly number[];

type PartOf<K extends Part['kind']> = Part & { readonly kind: K };

/** The automatons of a pattern, made when they are first needed. */
export class Automatons {
  readonly pattern: CompiledPattern;
  readonly looks: readonly Automaton[];
  readonly #made = new Map<string, Automaton>();

  constructor(pattern: CompiledPattern) {
    this.pattern = pattern;
    this.looks = lookAutomatonsOf(pattern.program);
  }

  get(from: number, to: number, direction: 'forward' | 'backward', floating = false): Automaton {
    const key = `${from} ${to} ${direction} ${floating}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const { program } = this.pattern;
    const made =
      direction === 'forward'
        ? new Automaton(program, from, to, direction, floating)
        : new Automaton(program, to, from, direction, floating);
    this.#made.set(key, made);
    return made;
  }
}

/** A search in one text. */
export class Search implements StepBudget {
  readonly #automatons: Automatons;
  readonly #root: Part;
  readonly #subject: Subject;
  readonly #captures: Int32Array;
  /** Trying the ways of back references makes lists at each step, which a plain pass does not. */
  readonly #stepWeight: number;
  #starts: Uint8Array | undefined;
  #steps = 0;

  constructor(automatons: Automatons, text: string) {
    this.#automatons = automatons;
    this.#root = automatons.pattern.root;
    this.#stepWeight = this.#root.traits.references ? 10 : 1;
    this.#subject = new Subject(text, automatons.pattern.program, automatons.looks, this);
    this.#captures = new Int32Array((automatons.pattern.groupCount + 1) * 2).fill(-1);
  }

  /** Characters of the text. */
  get length(): number {
    return this.#subject.length;
  }

  slice(from: number, to: number): string {
    return this.#subject.slice(from, to);
  }

  /** Raises 54001 when a search takes too long. */
  take(steps: number): void {
    this.#steps += steps * this.#stepWeight;
    if (this.#steps > searchStepsMax) {
      raise('statement_too_complex', 'regular expression failed: it takes too many steps', {
        hint: 'Back references, and groups that repeat, can be matched in very many ways.',
      });
    }
  }

  /** Whether there is a match anywhere. */
  test(): boolean {
    if (this.#root.traits.references) return this.find(0) !== undefined;
    const { from, to } = this.#root;
    const automaton = this.#automatons.get(from, to, 'forward', true);
    let found = false;
    this.#run(automaton, 0, this.length, () => {
      found = true;
      return false;
    });
    return found;
  }

  /** The first match that begins at or after a character, counted from 0. */
  find(from: number): Match | undefined {
    this.#starts ??= this.#possibleStarts();
    for (let start = from; start <= this.length; start += 1) {
      if (this.#starts[start] !== 1) continue;
      const match = this.#matchAt(start);
      if (match !== undefined) return match;
    }
    return undefined;
  }

  #matchAt(start: number): Match | undefined {
    const { traits } = this.#root;
    const ends = traits.references
      ? inOrder(this.#root, this.#ends(this.#root, start, this.length))
      : [this.#end(start)];
    for (const end of ends) {
      this.#captures.fill(-1);
      const holds = !(traits.references || traits.captures) || this.#divide(this.#root, start, end);
      if (!holds) continue;
      this.#captures[0] = start;
      this.#captures[1] = end;
      return [...this.#captures];
    }
    return undefined;
  }

  /** Places where the pattern, taken without what back references ask, can begin to match. */
  #possibleStarts(): Uint8Array {
    const starts = new Uint8Array(this.length + 1);
    const { from, to } = this.#root;
    const automaton = this.#automatons.get(from, to, 'backward', true);
    this.#runBack(automaton, this.length, 0, (place) => {
      starts[place] = 1;
      return true;
    });
    return starts;
  }

  /** Where the match that begins at `start` ends, as the whole pattern prefers it. */
  #end(start: number): number {
    const { from, to, traits } = this.#root;
    let end = -1;
    this.#run(this.#automatons.get(from, to, 'forward'), start, this.length, (place) => {
      end = place;
      return traits.prefers !== 'shortest';
    });
    return must(end < 0 ? undefined : end, 'a match begins here');
  }

  /** Places where a part that begins at `start` can end, ascending. */
  #ends(part: Part, start: number, limit: number): number[] {
    const ends: number[] = [];
    this.#run(this.#automatons.get(part.from, part.to, 'forward'), start, limit, (place) => {
      ends.push(place);
      return true;
    });
    return ends;
  }

  /** Goes over the characters between two places and tells of each place where it accepts. */
  #run(
    automaton: Automaton,
    start: number,
    limit: number,
    accept: (place: number) => boolean,
  ): void {
    const subject = this.#subject;
    let core = automaton.start(this);
    let place = start;
    for (;;) {
      const settled = automaton.settle(core, subject.contextAt(place), this);
      if (settled.accepting && !accept(place)) break;
      if (place === limit) break;
      core = automaton.advance(settled, subject.classes[place] ?? 0, this);
      if (core.states.length === 0) break;
      place += 1;
    }
    this.take(place - start + 1);
  }

  /** As {@link Search.#run}, from the last place to the first. */
  #runBack(
    automaton: Automaton,
    start: number,
    limit: number,
    accept: (place: number) => boolean,
  ): void {
    const subject = this.#subject;
    let core = automaton.start(this);
    let place = start;
    for (;;) {
      const settled = automaton.settle(core, subject.contextAt(place), this);
      if (settled.accepting && !accept(place)) break;
      if (place === limit) break;
      core = automaton.advance(settled, subject.classes[place - 1] ?? 0, this);
      if (core.states.length === 0) break;
      place -= 1;
    }
    this.take(start - place + 1);
  }

  #forget(part: Part): void {
    for (const group of part.groups) {
      this.#captures[group * 2] = -1;
      this.#captures[group * 2 + 1] = -1;
    }
  }

  /**
   * Sets the groups of a part that matches from `start` to `end`. False when its back references do
   * not agree; without any it is always true.
   */
  #divide(part: Part, start: number, end: number): boolean {
    if (!this.#divideWithin(part, start, end)) return false;
    for (const group of part.captures) {
      this.#captures[group * 2] = start;
      this.#captures[group * 2 + 1] = end;
    }
    return true;
  }

  #divideWithin(part: Part, start: number, end: number): boolean {
    if (part.groups.length === part.captures.length && !part.traits.references) return true;
    switch (part.kind) {
      case 'plain':
        return true;
      case 'sequence':
        return part.traits.references
          ? this.#divideRow(part, 0, start, end)
          : this.#divideRowAtOnce(part, start, end);
      case 'alternatives':
        return this.#divideAlternatives(part, start, end);
      case 'iteration':
        return this.#divideIteration(part, start, end);
      case 'reference':
        return this.#agrees(part, start, end);
      default:
        return unreachable(part);
    }
  }

  /** Without back references whatever the automatons allow is right, so each part is looked at once. */
  #divideRowAtOnce(row: PartOf<'sequence'>, start: number, end: number): boolean {
    let at = start;
    for (const [i, part] of row.parts.entries()) {
      const next = i === row.parts.length - 1 ? end : this.#middles(row, i, at, end)[0];
      this.#divide(part, at, must(next, 'the parts match together'));
      at = next ?? end;
    }
    return true;
  }

  #divideRow(row: PartOf<'sequence'>, i: number, start: number, end: number): boolean {
    const part = must(row.parts[i], 'a part of the row');
    if (i === row.parts.length - 1) return this.#divide(part, start, end);
    for (const middle of this.#middles(row, i, start, end)) {
      this.take(1);
      if (this.#divide(part, start, middle) && this.#divideRow(row, i + 1, middle, end))
        return true;
      for (const later of row.parts.slice(i)) this.#forget(later);
    }
    return false;
  }

  /**
   * Places where part i can end and the others begin, in the order in which it prefers them; only the
   * first where no back reference can refuse it.
   */
  #middles(row: PartOf<'sequence'>, i: number, start: number, end: number): number[] {
    const part = must(row.parts[i], 'a part of the row');
    const next = must(row.parts[i + 1], 'a part after it');
    const ends = this.#ends(part, start, end);
    const possible = new Uint8Array(end - start + 1);
    for (const place of ends) possible[place - start] = 1;
    const shortest = part.traits.prefers === 'shortest';
    const all = row.traits.references;
    const found: number[] = [];
    const automaton = this.#automatons.get(next.from, row.to, 'backward');
    this.#runBack(automaton, end, ends[0] ?? end, (place) => {
      if (possible[place - start] === 1) found.push(place);
      return all || shortest || found.length === 0;
    });
    return shortest ? found.reverse() : found;
  }

  #divideAlternatives(part: PartOf<'alternatives'>, start: number, end: number): boolean {
    for (const branch of part.parts) {
      if (!this.#spans(branch, start, end)) continue;
      this.#forget(part);
      if (this.#divide(branch, start, end)) return true;
      this.#forget(part);
    }
    return false;
  }

  #spans(part: Part, start: number, end: number): boolean {
    return this.#ends(part, start, end).at(-1) === end;
  }

  /**
   * Each time takes as much, or as little, as the body prefers and lets the others reach the end. A time that matches nothing
   * counts only where the least number of times asks for it.
   */
  #divideIteration(part: PartOf<'iteration'>, start: number, end: number): boolean {
    const min = Math.max(part.min, 1);
    const max = Math.max(Math.min(end - start, part.max), min);
    if (start === end && part.min === 0 && part.body.traits.prefers === 'shortest') return true;
    const references = part.body.traits.references;
    // With neither, any way that can reach the end does, and the first is the one.
    const isCertain = !references && part.max === Number.POSITIVE_INFINITY;
    const reach = part.min <= 1 ? this.#reachingEnd(part, start, end) : undefined;
    const failed = new Set<number>();
    const ways: { readonly at: number; readonly ends: readonly number[]; tried: number }[] = [];
    const push = (at: number) => {
      const all = this.#ends(part.body, at, end);
      const ends = inOrder(
        part.body,
        reach === undefined ? all : all.filter((to) => reach[to - start]),
      );
      ways.push({ at, ends: isCertain ? ends.slice(0, 2) : ends, tried: 0 });
    };
    push(start);
    for (let way = ways.at(-1); way !== undefined; way = ways.at(-1)) {
      this.take(1);
      const times = ways.length;
      const next = way.ends[way.tried];
      if (next === undefined) {
        failed.add(way.at * (max + 1) + times);
        ways.pop();
        continue;
      }
      way.tried += 1;
      if (next === end ? times < min : times >= max) continue;
      const isNeeded = times < min && min - times >= end - next;
      if (next === way.at && next !== end && !isNeeded) continue;
      if (!references && failed.has(next * (max + 1) + times + 1)) continue;
      this.#forget(part.body);
      if ((references || next === end) && !this.#divide(part.body, way.at, next)) continue;
      if (next === end) return true;
      push(next);
    }
    this.#forget(part.body);
    return part.min === 0 && start === end;
  }

  /** Places from which repeating the body reaches the end. */
  #reachingEnd(part: Part, start: number, end: number): Uint8Array {
    const reach = new Uint8Array(end - start + 1);
    reach[end - start] = 1;
    const automaton = this.#automatons.get(part.from, part.to, 'backward');
    this.#runBack(automaton, end, start, (place) => {
      reach[place - start] = 1;
      return true;
    });
    return reach;
  }

  #agrees({ group, min, max }: PartOf<'reference'>, start: number, end: number): boolean {
    const from = this.#captures[group * 2] ?? -1;
    const to = this.#captures[group * 2 + 1] ?? -1;
    if (from < 0) return false;
    const size = to - from;
    if (size === 0) return start === end;
    if (start === end) return min === 0;
    const times = (end - start) / size;
    if (!Number.isInteger(times) || times < min || times > max) return false;
    this.take(end - start);
    const wanted = this.slice(from, to).repeat(times);
    const found = this.slice(start, end);
    return this.#automatons.pattern.ignoreCase ? sameInAnyCase(wanted, found) : wanted === found;
  }
}

function inOrder(part: Part, ends: number[]): number[] {
  return part.traits.prefers === 'shortest' ? ends : ends.reverse();
}
