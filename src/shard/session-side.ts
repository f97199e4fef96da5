/** What a replica does for the sessions of its place beside reading and committing: whom it tells of what. */
import type { Context } from '../actors/actor.js';
import type { News } from '../txn/index.js';
import type { Ask } from './answers.js';
import { Listeners } from './listeners.js';
import { LockDesk, type LockDeskParts } from './lock-desk.js';
import type { ReplicaMessage } from './messages.js';

/** Why sessions end that listen, or have advisory locks. */
const gapText =
  'terminating connection: its node takes a copy of the data, and may have missed notifications and locks';

export class SessionSide {
  readonly listeners = new Listeners();
  readonly locks: LockDesk;

  constructor(parts: LockDeskParts, propose: (ask: Ask, context: Context<ReplicaMessage>) => void) {
    this.locks = new LockDesk(parts, propose);
  }

  /** An entry was applied that sessions are to hear of. */
  readonly onNews = (news: News, context: Context<ReplicaMessage>): void => {
    this.listeners.tell(news, context);
    if (news.events.length > 0) this.locks.onEvents(news.events, context);
  };

  /** What is applied next does not follow on what was applied last. */
  readonly onGap = (context: Context<ReplicaMessage>): void => {
    this.listeners.loseAll(gapText, context);
    this.locks.loseAll(gapText, context);
  };
}
