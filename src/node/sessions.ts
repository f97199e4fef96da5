/** The sessions of a node, as its doors see them: actors at the place of the shard. */
import {
  type ActorRefused,
  type ActorStopped,
  type Doors,
  type PlaceId,
  type Ref,
  runtimeMessages,
} from '../actors/index.js';
import { assert } from '../base/assert.js';
import type { ConnectOptions, SessionListener, SqlConnection, SqlService } from '../net/index.js';
import { parseMessageTypes, sessionAnswerTypes, pidOf, sessionNumbers } from '../sql/index.js';
import { Cancels } from './cancels.js';
import type {
  AdminMessage,
  ParseAnswer,
  ParseMessage,
  SessionAnswer,
  SessionArguments,
  SessionMessage,
} from '../sql/session/protocol.js';
import type { TextParser } from './text-parser.js';

type DoorMessage = SessionAnswer | ParseMessage | ActorStopped | ActorRefused;

const doorMessages = [
  ...sessionAnswerTypes,
  ...parseMessageTypes,
  runtimeMessages.stopped,
  runtimeMessages.refused,
];

export interface SessionsParts {
  /** Why no session can be opened now; undefined while it can. */
  readonly refusal?: () => string | undefined;
  /** Why SQL is not served now; administration may be had nevertheless. */
  readonly notReady?: () => string | undefined;
  /** Without it sessions parse long texts themselves. */
  readonly parser?: TextParser;
  /** Who answers functions of schema `shardforge`. */
  readonly admin?: Ref<AdminMessage>;
}

/** Sessions that a node has at once: 0 is no number of one. */
const numbersMax = sessionNumbers - 1;

export class Sessions implements SqlService {
  readonly cancels: Cancels;
  readonly #doors: Doors;
  readonly #place: PlaceId;
  readonly #parts: SessionsParts;
  readonly #numbers = new Set<number>();
  #last = 0;

  /** Sessions run at `place`. */
  constructor(doors: Doors, place: PlaceId, parts: SessionsParts = {}) {
    this.#doors = doors;
    this.cancels = new Cancels(doors);
    this.#place = place;
    this.#parts = parts;
  }

  notReady(): string | undefined {
    return this.#parts.notReady?.();
  }

  refusal(): string | undefined {
    return this.#parts.refusal?.();
  }

  connect(options: ConnectOptions, listener: SessionListener): SqlConnection {
    const number = this.#nextNumber();
    const name = `connection/${number}`;
    const door = this.#doors.door<DoorMessage>(name, doorMessages, (message) => {
      switch (message.kind) {
        case 'actor.stopped':
          end(`the session has ${message.reason}`);
          return;
        case 'actor.refused':
          end('the session does not keep up');
          return;
        case 'sql.parse':
          parse(message.parse, message.text);
          return;
        case 'sql.stopParsing':
          parsing?.abort();
          return;
        default:
          try {
            listener.answer(message);
          } catch (error) {
            // Its client would wait for ever for the rest.
            end('an answer could not be written');
            throw error;
          }
      }
    });
    const session = pidOf(door.ref.node, number);
    const actor = this.#spawn(session, door.ref, options);
    let open = true;
    // A session parses one text at a time.
    let parsing: AbortController | undefined;
    const parse = (number: number, text: string): void => {
      parsing = new AbortController();
      this.#parts.parser?.parse(text, parsing.signal, (answer) => {
        door.post<ParseAnswer>(actor, { ...answer, parse: number });
      });
    };
    const close = (): void => {
      open = false;
      this.#numbers.delete(number);
      parsing?.abort();
      door.close();
    };
    const end = (reason: string): void => {
      if (!open) return;
      // After a failure the runtime would start it again, without its transaction: end it for good.
      door.post<SessionMessage>(actor, { kind: 'sql.end' });
      close();
      listener.died(reason);
    };
    door.watch(actor);
    return {
      session,
      send(message) {
        if (!open) return;
        const taken = door.post(actor, message);
        if (message.kind === 'sql.end') {
          close();
        } else if (!taken) {
          end('the session does not keep up');
        }
      },
    };
  }

  /** A number that no session of the node has. */
  #nextNumber(): number {
    assert(this.#numbers.size < numbersMax, 'more sessions than numbers', this.#numbers.size);
    do this.#last = (this.#last % numbersMax) + 1;
    while (this.#numbers.has(this.#last));
    this.#numbers.add(this.#last);
    return this.#last;
  }

  #spawn(session: number, door: Ref<DoorMessage>, options: ConnectOptions): Ref<SessionMessage> {
    const { admin, parser } = this.#parts;
    const args: SessionArguments = {
      door,
      ...(parser === undefined ? {} : { parser: door }),
      ...(admin === undefined ? {} : { admin }),
      ...options,
      session,
    };
    return this.#doors.spawn('session', `session/${session}`, args, this.#place);
  }
}
