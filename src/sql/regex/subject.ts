/** A text that is searched: its characters as classes, and what holds between them. */
import type { Alphabet } from './alphabet.js';
import { Automaton, type PlaceContext, placeContext, type StepBudget } from './automaton.js';
import { nothing } from './alphabet.js';
import type { LookPiece, Program } from './program.js';

const astral = /[\ud800-\udbff]/;

export class Subject {
  readonly text: string;
  /** Characters of the text. */
  readonly length: number;
  /** The class of each character. */
  readonly classes: Uint16Array;
  /** Units before each character and before the end; undefined where each character is one unit. */
  readonly #units: Int32Array | undefined;
  readonly #kinds: Uint8Array;
  readonly #hasConditions: boolean;
  /** For each lookaround a mark at each place where it holds. */
  readonly #looks: Uint8Array[] = [];

  constructor(
    text: string,
    program: Program,
    lookAutomatons: readonly Automaton[],
    budget: StepBudget,
  ) {
    this.text = text;
    const { alphabet } = program;
    this.#kinds = alphabet.kinds;
    this.#hasConditions = program.hasConditions;
    if (astral.test(text)) {
      const { classes, units } = readAstral(text, alphabet);
      this.classes = classes;
      this.#units = units;
    } else {
      this.classes = new Uint16Array(text.length);
      for (let i = 0; i < text.length; i += 1) {
        this.classes[i] = alphabet.classOf(text.charCodeAt(i));
      }
      this.#units = undefined;
    }
    this.length = this.classes.length;
    for (const [i, look] of program.looks.entries()) {
      const automaton = lookAutomatons[i];
      if (automaton !== undefined) this.#looks.push(this.#placesOf(look, automaton, budget));
    }
  }

  /** What is known of the place before the character at `place`. */
  contextAt(place: number): PlaceContext {
    if (!this.#hasConditions) return 0;
    let looks = 0;
    for (let i = this.#looks.length - 1; i >= 0; i -= 1) {
      looks = looks * 2 + (this.#looks[i]?.[place] ?? 0);
    }
    return placeContext(this.#kindAt(place - 1), this.#kindAt(place), looks);
  }

  slice(from: number, to: number): string {
    return this.text.slice(this.#unitAt(from), this.#unitAt(to));
  }

  #unitAt(place: number): number {
    return this.#units === undefined ? place : (this.#units[place] ?? this.text.length);
  }

  #kindAt(index: number): number {
    const one = this.classes[index];
    return one === undefined ? nothing : (this.#kinds[one] ?? nothing);
  }

  /** Where a lookaround holds: one pass over the text, backwards for a lookahead. */
  #placesOf({ ahead, negated }: LookPiece, automaton: Automaton, budget: StepBudget): Uint8Array {
    const places = new Uint8Array(this.length + 1);
    let core = automaton.start(budget);
    for (let i = 0; i <= this.length; i += 1) {
      const place = ahead ? this.length - i : i;
      const settled = automaton.settle(core, this.contextAt(place), budget);
      places[place] = settled.accepting === negated ? 0 : 1;
      const one = this.classes[ahead ? place - 1 : place];
      if (one !== undefined) core = automaton.advance(settled, one, budget);
    }
    budget.take(this.length);
    return places;
  }
}

function readAstral(text: string, alphabet: Alphabet) {
  const classes = new Uint16Array(text.length);
  const units = new Int32Array(text.length + 1);
  let count = 0;
  let unit = 0;
  for (const character of text) {
    classes[count] = alphabet.classOf(character.codePointAt(0) ?? 0);
    units[count] = unit;
    count += 1;
    unit += character.length;
  }
  units[count] = unit;
  return { classes: classes.slice(0, count), units };
}

/** The automatons that find where lookarounds hold, from the other end of what they look at. */
export function lookAutomatonsOf(program: Program): Automaton[] {
  return program.looks.map(({ ahead, from, to }) =>
    ahead
      ? new Automaton(program, to, from, 'backward', true)
      : new Automaton(program, from, to, 'forward', true),
  );
}
