/** The sessions of a node, as its doors see them: actors at the place of the shard. */
import {
  type ActorRefused,
  type ActorStopped,
  type Doors,
  type PlaceId,
  runtimeMessages,
} from '../actors/index.js';
import type { ConnectOptions, SessionListener, SqlConnection, SqlService } from '../net/index.js';
import { sessionAnswerTypes } from '../sql/index.js';
import type { SessionAnswer, SessionArguments, SessionMessage } from '../sql/session/protocol.js';

type DoorMessage = SessionAnswer | ActorStopped | ActorRefused;

const doorMessages = [...sessionAnswerTypes, runtimeMessages.stopped, runtimeMessages.refused];

export class Sessions implements SqlService {
  readonly #doors: Doors;
  readonly #place: PlaceId;
  readonly #notReady: () => string | undefined;
  #opened = 0;

  /** Sessions run at `place`; `notReady` says why none is opened now. */
  constructor(doors: Doors, place: PlaceId, notReady: () => string | undefined) {
    this.#doors = doors;
    this.#place = place;
    this.#notReady = notReady;
  }

  notReady(): string | undefined {
    return this.#notReady();
  }

  connect(options: ConnectOptions, listener: SessionListener): SqlConnection {
    this.#opened += 1;
    const session = this.#opened;
    const door = this.#doors.door<DoorMessage>(`connection/${session}`, doorMessages, (message) => {
      switch (message.kind) {
        case 'actor.stopped':
          end(`the session has ${message.reason}`);
          return;
        case 'actor.refused':
          end('the session does not keep up');
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
    const args: SessionArguments = { door: door.ref, ...options };
    const actor = this.#doors.spawn<SessionMessage>(
      'session',
      `session/${session}`,
      args,
      this.#place,
    );
    let open = true;
    const end = (reason: string): void => {
      if (!open) return;
      open = false;
      // After a failure the runtime would start it again, without its transaction: end it for good.
      door.post<SessionMessage>(actor, { kind: 'sql.end' });
      door.close();
      listener.died(reason);
    };
    door.watch(actor);
    return {
      session,
      send(message) {
        if (!open) return;
        const taken = door.post(actor, message);
        if (message.kind === 'sql.end') {
          open = false;
          door.close();
        } else if (!taken) {
          end('the session does not keep up');
        }
      },
    };
  }
}
