/** The roles of the cluster, for the doors: asked of the actor beside the replica. */
import {
  type ActorRefused,
  type ActorStopped,
  type Door,
  type Doors,
  type Ref,
  runtimeMessages,
} from '../actors/index.js';
import { DatabaseError } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type { Accounts } from '../net/index.js';
import {
  accountsAnswers,
  type AccountsMessage,
  accountsName,
  type AuditEvent,
  type AuditMessage,
  type FindMessage,
  type FoundMessage,
  type Login,
  type TokenMessage,
} from '../sql/index.js';
import { shardPlace } from './place.js';

type Answer = FoundMessage | ActorStopped | ActorRefused;

interface Question {
  readonly resolve: (login: Login | undefined) => void;
  readonly reject: (error: DatabaseError) => void;
}

export class NodeAccounts implements Accounts {
  readonly #actor: Ref<AccountsMessage>;
  readonly #door: Door<Answer>;
  readonly #questions = new Map<number, Question>();
  #asked = 0;

  constructor(doors: Doors, node: NodeId) {
    this.#actor = { node, place: shardPlace, name: accountsName };
    const { stopped, refused } = runtimeMessages;
    const messages = [...accountsAnswers, stopped, refused];
    this.#door = doors.door<Answer>('accounts-door', messages, (answer) => this.#take(answer));
    this.#door.watch(this.#actor);
  }

  find(name: string): Promise<Login | undefined> {
    return this.#ask((find, replyTo) => ({ kind: 'accounts.find', find, name, replyTo }));
  }

  token(hash: string): Promise<Login | undefined> {
    return this.#ask((find, replyTo) => ({ kind: 'accounts.token', find, hash, replyTo }));
  }

  audit(event: AuditEvent): void {
    this.#door.post<AuditMessage>(this.#actor, { kind: 'accounts.audit', event });
  }

  #ask(
    message: (find: number, replyTo: Ref<FoundMessage>) => FindMessage | TokenMessage,
  ): Promise<Login | undefined> {
    this.#asked += 1;
    const find = this.#asked;
    return new Promise((resolve, reject) => {
      this.#questions.set(find, { resolve, reject });
      const question = message(find, this.#door.ref as Ref<FoundMessage>);
      if (!this.#door.post<AccountsMessage>(this.#actor, question)) this.#fail(find, tooMany);
    });
  }

  #take(answer: Answer): void {
    switch (answer.kind) {
      case 'accounts.found': {
        const question = this.#questions.get(answer.find);
        this.#questions.delete(answer.find);
        const { login, error } = answer;
        if (error === undefined) question?.resolve(login);
        else question?.reject(new DatabaseError(error.kind, error.message, error.details));
        return;
      }
      case 'actor.refused': {
        const { find } = answer.message as Partial<FindMessage | TokenMessage>;
        if (find !== undefined) this.#fail(find, tooMany);
        return;
      }
      case 'actor.stopped':
        // It is started again, and what it was asked before is lost.
        for (const find of [...this.#questions.keys()])
          this.#fail(find, 'roles cannot be read now');
        this.#door.watch(this.#actor);
        return;
    }
  }

  #fail(find: number, reason: string): void {
    this.#questions.get(find)?.reject(new DatabaseError('cannot_connect_now', reason));
    this.#questions.delete(find);
  }
}

const tooMany = 'too many clients sign in at once';
