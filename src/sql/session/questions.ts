/**
 * What functions of a statement ask that cannot be answered within its execution: for locks, for time. The first
 * execution goes on with guesses and collects the questions; nothing of it leaves or counts. The session then
 * answers them one after the other, and the statement is executed again, with the answers in the order in which
 * they were asked for. It is what decision 16 does for numbers of sequences.
 */
import { raise } from '../../base/errors.js';
import type { Question, Value } from '../types/index.js';

interface Answered {
  readonly question: Question;
  readonly answer: Value;
}

/** A question with what the execution went on with. */
export interface Wanted {
  readonly question: Question;
  readonly guess: Value;
}

const none: Wanted[] = [];

export class Questions {
  readonly #answered: Answered[] = [];
  /** How many answers this execution has used. */
  #used = 0;
  #wanted: Wanted[] = none;
  #open = false;

  /** An execution begins, the first of its statement or another one with the answers given since. */
  beginExecution(): void {
    this.#open = true;
    this.#used = 0;
    this.#wanted = none;
  }

  /** Whether this execution rests on a guess: nothing of it may leave or count. */
  get isProvisional(): boolean {
    return this.#wanted.length > 0;
  }

  /** What this execution was short of, in order. */
  get wanted(): readonly Wanted[] {
    return this.#wanted;
  }

  /** The answer, or `guess` while there is none. */
  ask(question: Question, guess: Value): Value {
    if (!this.#open) {
      raise('feature_not_supported', 'a function that waits cannot be called in this place');
    }
    const next = this.#answered[this.#used];
    if (next !== undefined && isSame(next.question, question)) {
      this.#used += 1;
      return next.answer;
    }
    // Another course than the last time (random(), clock_timestamp()): the answers behind it are to other questions.
    this.#answered.splice(this.#used);
    if (this.#wanted === none) this.#wanted = [];
    this.#wanted.push({ question, guess });
    return guess;
  }

  /** One of those wanted was answered, in their order. */
  answer(question: Question, answer: Value): void {
    this.#answered.push({ question, answer });
  }

  /** The statement has ended, or begins anew in another transaction. */
  endStatement(): void {
    this.#open = false;
    this.#wanted = none;
    this.#used = 0;
    this.#answered.length = 0;
  }
}

function isSame(a: Question, b: Question): boolean {
  return a.kind === b.kind && JSON.stringify(a) === JSON.stringify(b);
}
