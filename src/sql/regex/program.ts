/**
 * The states and arcs of a pattern, in pieces that automatons run on. A piece lies between two states:
 * arcs that leave its first state and those that reach its last are its own, so that it runs alone.
 */
import { must } from '../../base/assert.js';
import { Alphabet, type ClassSet } from './alphabet.js';
import type { CharacterSet } from './character-set.js';
import { failPattern } from './failure.js';
import { patternStatesMax } from './limits.js';
import type { Condition } from './syntax.js';

/** A lookahead or lookbehind whose body lies between two states. */
export interface LookPiece {
  readonly ahead: boolean;
  readonly negated: boolean;
  readonly from: number;
  readonly to: number;
}

/** What an arc asks for: nothing, a character of a set, or a condition on the place. */
export type Label =
  | { readonly kind: 'empty' }
  | { readonly kind: 'classes'; readonly classes: ClassSet }
  | { readonly kind: 'condition'; readonly condition: Condition }
  | { readonly kind: 'look'; readonly look: number };

export interface Arc {
  readonly to: number;
  readonly label: Label;
}

/** Arcs by the state they leave, in one direction. */
export type Arcs = readonly (readonly Arc[])[];

export interface Program {
  readonly alphabet: Alphabet;
  readonly forward: Arcs;
  readonly backward: Arcs;
  readonly looks: readonly LookPiece[];
  readonly hasConditions: boolean;
}

type DraftLabel =
  | Exclude<Label, { kind: 'classes' }>
  | { readonly kind: 'set'; readonly set: CharacterSet };

const looksMax = 40;

/** A program while it is made. */
export class ProgramDraft {
  readonly #arcs: { readonly from: number; readonly to: number; readonly label: DraftLabel }[] = [];
  readonly #looks: LookPiece[] = [];
  #states = 0;

  state(): number {
    this.#states += 1;
    if (this.#states > patternStatesMax) failPattern('tooComplex');
    return this.#states - 1;
  }

  empty(from: number, to: number): void {
    this.#arcs.push({ from, to, label: { kind: 'empty' } });
  }

  characters(from: number, to: number, set: CharacterSet): void {
    this.#arcs.push({ from, to, label: { kind: 'set', set } });
  }

  condition(from: number, to: number, condition: Condition): void {
    this.#arcs.push({ from, to, label: { kind: 'condition', condition } });
  }

  /** The number of a lookaround for arcs; those that are in its body have lower numbers. */
  look(piece: LookPiece): number {
    if (this.#looks.length === looksMax) failPattern('tooComplex');
    this.#looks.push(piece);
    return this.#looks.length - 1;
  }

  lookArc(from: number, to: number, look: number): void {
    this.#arcs.push({ from, to, label: { kind: 'look', look } });
  }

  finish(): Program {
    const byText = new Map<string, CharacterSet>();
    let hasConditions = false;
    for (const { label } of this.#arcs) {
      if (label.kind === 'set') byText.set(label.set.join(), label.set);
      if (label.kind === 'condition' || label.kind === 'look') hasConditions = true;
    }
    const alphabet = new Alphabet([...byText.values()], hasConditions);
    const labels = new Map<string, Label>();
    for (const [text, set] of byText) {
      labels.set(text, { kind: 'classes', classes: alphabet.classesOf(set) });
    }
    const forward: Arc[][] = Array.from({ length: this.#states }, () => []);
    const backward: Arc[][] = Array.from({ length: this.#states }, () => []);
    for (const { from, to, label: draft } of this.#arcs) {
      const label =
        draft.kind === 'set' ? must(labels.get(draft.set.join()), 'a label of each set') : draft;
      forward[from]?.push({ to, label });
      backward[to]?.push({ to: from, label });
    }
    return { alphabet, forward, backward, looks: this.#looks, hasConditions };
  }
}
