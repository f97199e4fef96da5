/** What the actor has asked and not yet heard about: of its replica and of other nodes. */
import type {
  ChangedMessage,
  CommittedMessage,
  HashedMessage,
  RefusedMessage,
  ReplicaStatus,
} from '../shard/protocol.js';
import type { OutcomeMessage, ToldMessage } from './protocol.js';
import type { Turn } from './view.js';

export type Answer =
  | ChangedMessage
  | CommittedMessage
  | RefusedMessage
  | ReplicaStatus
  | HashedMessage
  | OutcomeMessage
  | ToldMessage;

/** Called once; undefined when no answer came in time. */
type OnAnswer = (answer: Answer | undefined, context: Turn) => void;

export class Pending {
  readonly #asked = new Map<number, { readonly dueMs: number; readonly onAnswer: OnAnswer }>();
  #last = 0;

  get size(): number {
    return this.#asked.size;
  }

  /** The token of a new question that waits until `dueMs`. */
  ask(dueMs: number, onAnswer: OnAnswer): number {
    this.#last += 1;
    this.#asked.set(this.#last, { dueMs, onAnswer });
    return this.#last;
  }

  /** An answer that came late or twice is let be. */
  onAnswer(answer: Answer, context: Turn): void {
    const asked = this.#asked.get(answer.token);
    if (asked === undefined) return;
    this.#asked.delete(answer.token);
    asked.onAnswer(answer, context);
  }

  /** Gives up what has waited for too long. */
  expire(context: Turn): void {
    for (const [token, { dueMs, onAnswer }] of this.#asked) {
      if (dueMs > context.nowMs) continue;
      this.#asked.delete(token);
      onAnswer(undefined, context);
    }
  }
}
