/** The sessions of a node, by number: who they are and what they do, for whoever asks at their place. */
import type { Ref, ResourceToken } from '../../actors/actor.js';
import { queryLengthLimit, reportedCharactersMax } from './limits.js';
import type { SessionReport } from '../system/index.js';
import type { InterruptMessage } from './session.js';

export interface RegisteredSession {
  readonly ref: Ref<InterruptMessage>;
  /** With so many characters of its statement at most. */
  readonly report: (queryLengthMax: number) => SessionReport;
}

/** A resource of the place where sessions run; to be called within turns there. */
export class SessionRegistry {
  readonly #sessions = new Map<number, RegisteredSession>();

  add(pid: number, session: RegisteredSession): void {
    this.#sessions.set(pid, session);
  }

  remove(pid: number): void {
    this.#sessions.delete(pid);
  }

  get(pid: number): RegisteredSession | undefined {
    return this.#sessions.get(pid);
  }

  /** What all of them do now, the oldest first. */
  reports(): readonly SessionReport[] {
    // Of many sessions less is told of each: the answer goes to other nodes in one message.
    const fairShare = Math.floor(reportedCharactersMax / Math.max(1, this.#sessions.size));
    const queryLengthMax = Math.min(queryLengthLimit, fairShare);
    return [...this.#sessions.values()].map(({ report }) => report(queryLengthMax));
  }
}

export const sessionRegistry: ResourceToken<SessionRegistry> = { name: 'sessionRegistry' };
