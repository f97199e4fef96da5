/** Messages beside the answer: what PostgreSQL says by NOTICE and WARNING. */
import type { ErrorDetails } from '../../base/errors.js';
import type { Severity } from '../settings/index.js';
import type { Notice } from './protocol.js';
import type { SessionState } from './state.js';

/** Notices of one statement that are kept until they leave; those beyond are lost. */
const noticesMax = 1000;

/** What a statement has to say, until something of its answer leaves. */
export class Notices {
  readonly #wants: (severity: Severity) => boolean;
  #kept: Notice[] = [];

  /** `wants`: whether the client asked for messages of this weight. */
  constructor(wants: (severity: Severity) => boolean) {
    this.#wants = wants;
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  add(severity: Severity, sqlstate: string, message: string, details: ErrorDetails = {}): void {
    if (this.#kept.length >= noticesMax || !this.#wants(severity)) return;
    const shown = severity.startsWith('debug') ? 'DEBUG' : severity.toUpperCase();
    this.#kept.push({ severity: shown as Notice['severity'], sqlstate, message, details });
  }

  /** The statement is executed again, and says it again. */
  clear(): void {
    if (this.#kept.length > 0) this.#kept = [];
  }

  /** Sends what there is. */
  send({ turn, door }: SessionState, request: number): void {
    const kept = this.#kept;
    this.#kept = [];
    for (const notice of kept) turn.send(door, { kind: 'sql.notice', request, notice });
  }
}
