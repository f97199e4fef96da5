/**
 * A piece of a program as a deterministic automaton, made while it runs: each set of states that is
 * met becomes a state of its own once, so a text costs one step a character whatever the pattern. What
 * has been made is forgotten beyond a bound and made again when it is met again.
 */
import { newlineKind, nothing, wordKind } from './alphabet.js';
import { keptStatesMax } from './limits.js';
import type { Arcs, Label, Program } from './program.js';
import type { Condition } from './syntax.js';

/** Counts work, and raises when there was too much. */
export interface StepBudget {
  take(steps: number): void;
}

/** States after a character, before conditions on the place have been looked at. */
export interface Core {
  readonly states: readonly number[];
  /** Conditions can lead on from here, so what is settled depends on the place. */
  readonly conditional: boolean;
  readonly settled: Map<number, Settled>;
}

/** States at a place. */
export interface Settled {
  readonly accepting: boolean;
  readonly states: readonly number[];
  /** Cores after each class; undefined where not met yet. */
  readonly next: (Core | undefined)[];
}

/** The characters before and after a place, and which lookarounds hold there. */
export type PlaceContext = number;

export function placeContext(before: number, after: number, looks: number): PlaceContext {
  return (looks * 4 + before) * 4 + after;
}

export class Automaton {
  readonly #program: Program;
  readonly #arcs: Arcs;
  readonly #from: number;
  readonly #to: number;
  readonly #floating: boolean;
  readonly #cores = new Map<string, Core>();
  readonly #marks: Int32Array;
  #mark = 0;
  #kept = 0;
  #start: Core | undefined;

  /** From one state of the program to another; `floating` begins anew at each place. */
  constructor(
    program: Program,
    from: number,
    to: number,
    direction: 'forward' | 'backward',
    floating: boolean,
  ) {
    this.#program = program;
    this.#arcs = direction === 'forward' ? program.forward : program.backward;
    this.#from = from;
    this.#to = to;
    this.#floating = floating;
    this.#marks = new Int32Array(this.#arcs.length);
  }

  start(budget: StepBudget): Core {
    if (this.#start !== undefined) return this.#start;
    this.#mark += 1;
    const states: number[] = [];
    this.#enter(this.#from, states);
    this.#start = this.#core(states, budget);
    return this.#start;
  }

  /** The states at a place. */
  settle(core: Core, context: PlaceContext, budget: StepBudget): Settled {
    const key = core.conditional ? context : 0;
    const known = core.settled.get(key);
    if (known !== undefined) return known;
    const states = core.conditional ? this.#throughConditions(core.states, context) : core.states;
    const settled: Settled = { accepting: states.includes(this.#to), states, next: [] };
    core.settled.set(key, settled);
    this.#keep(states.length, budget);
    return settled;
  }

  /** The states after a character of the class. */
  advance(settled: Settled, one: number, budget: StepBudget): Core {
    const known = settled.next[one];
    if (known !== undefined) return known;
    this.#mark += 1;
    const states: number[] = [];
    for (const state of settled.states) {
      if (state === this.#to) continue;
      for (const { to, label } of this.#arcs[state] ?? []) {
        if (label.kind === 'classes' && has(label.classes, one)) this.#enter(to, states);
      }
    }
    if (this.#floating) this.#enter(this.#from, states);
    const core = this.#core(states, budget);
    settled.next[one] = core;
    return core;
  }

  /** Adds a state and all that empty arcs lead to; those with nothing but empty arcs are left out. */
  #enter(state: number, states: number[]): void {
    const pending = [state];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (this.#marks[next] === this.#mark) continue;
      this.#marks[next] = this.#mark;
      if (next === this.#to) {
        states.push(next);
        continue;
      }
      let isNeeded = false;
      for (const { to, label } of this.#arcs[next] ?? []) {
        if (label.kind === 'empty') pending.push(to);
        else isNeeded = true;
      }
      if (isNeeded) states.push(next);
    }
  }

  #throughConditions(core: readonly number[], context: PlaceContext): readonly number[] {
    this.#mark += 1;
    const states: number[] = [];
    for (const state of core) this.#marks[state] = this.#mark;
    states.push(...core);
    for (let i = 0; i < states.length; i += 1) {
      const state = states[i] ?? 0;
      if (state === this.#to) continue;
      for (const { to, label } of this.#arcs[state] ?? []) {
        if (holds(label, context)) this.#enter(to, states);
      }
    }
    return states;
  }

  #core(states: number[], budget: StepBudget): Core {
    states.sort((a, b) => a - b);
    const key = states.join();
    const known = this.#cores.get(key);
    if (known !== undefined) return known;
    const conditional =
      this.#program.hasConditions &&
      states.some(
        (state) =>
          state !== this.#to &&
          this.#arcs[state]?.some(
            ({ label }) => label.kind === 'condition' || label.kind === 'look',
          ),
      );
    const core: Core = { states, conditional, settled: new Map() };
    this.#keep(states.length, budget);
    this.#cores.set(key, core);
    return core;
  }

  #keep(states: number, budget: StepBudget): void {
    budget.take(states);
    this.#kept += states + 8;
    if (this.#kept <= keptStatesMax) return;
    for (const core of this.#cores.values()) core.settled.clear();
    this.#cores.clear();
    this.#start = undefined;
    this.#kept = 0;
  }
}

function has(classes: number | Uint8Array, one: number): boolean {
  return typeof classes === 'number' ? classes === one : classes[one] === 1;
}

/** Whether an arc that asks for no character leads on at the place. */
function holds(label: Label, context: PlaceContext): boolean {
  switch (label.kind) {
    case 'condition':
      return conditionHolds(label.condition, (context >> 2) & 3, context & 3);
    case 'look':
      return Math.floor(context / 2 ** (4 + label.look)) % 2 === 1;
    default:
      return false;
  }
}

function conditionHolds(condition: Condition, before: number, after: number): boolean {
  switch (condition) {
    case 'textStart':
      return before === nothing;
    case 'textEnd':
      return after === nothing;
    case 'lineStart':
      return before === nothing || before === newlineKind;
    case 'lineEnd':
      return after === nothing || after === newlineKind;
    case 'wordStart':
      return before !== wordKind && after === wordKind;
    case 'wordEnd':
      return before === wordKind && after !== wordKind;
    case 'wordBoundary':
      return (before === wordKind) !== (after === wordKind);
    case 'noWordBoundary':
      return (before === wordKind) === (after === wordKind);
  }
}
