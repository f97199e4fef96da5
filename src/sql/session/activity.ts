/**
 * The actor `activity`, one at each place with sessions: tells what they do, also to other nodes, gathers the
 * same of all nodes, and passes on that a session shall end what it does.
 */
import type {
  Actor,
  ActorKind,
  ActorRefused,
  Context,
  Message,
  PlaceId,
  Ref,
} from '../../actors/actor.js';
import { runtimeMessages } from '../../actors/actor.js';
import { unreachable } from '../../base/assert.js';
import type { NodeId } from '../../base/ids.js';
import {
  activityAnswers,
  activityMessages,
  type GatheredMessage,
  type GatherMessage,
  type PeersMessage,
  type SignalledMessage,
  type SignalMessage,
} from './activity-protocol.js';
import { gatherMs, terminationLookMs } from './limits.js';
import { nodeOfPid } from './pid.js';
import { type SessionRegistry, sessionRegistry } from './registry.js';
import type { SessionReport } from '../system/index.js';
import type { InterruptMessage } from './session.js';

/** To itself, by timer. */
interface LateMessage extends Message {
  readonly kind: 'sql.gatherLate';
  readonly call: number;
}

/** To itself, by timer: is the session gone that was ended? */
interface GoneMessage extends Message {
  readonly kind: 'sql.gone';
  readonly signal: SignalMessage;
  readonly untilMs: number;
}

type Input =
  | GatherMessage
  | GatheredMessage
  | SignalMessage
  | SignalledMessage
  | PeersMessage
  | LateMessage
  | GoneMessage
  | ActorRefused;

export const activityName = 'activity';

/** The actor of a node whose sessions are at `place`. */
export function activityAt(
  node: NodeId,
  place: PlaceId,
): Ref<GatherMessage | SignalMessage | PeersMessage> {
  return { node, place, name: activityName };
}

/** Answers of other nodes that a question waits for. */
interface Gathering {
  readonly question: GatherMessage;
  readonly sessions: SessionReport[];
  readonly waiting: Set<NodeId>;
  /** Nodes that cannot be asked. */
  readonly missing: NodeId[];
}

class Activity implements Actor<Input> {
  readonly #registry: SessionRegistry;
  readonly #self: Ref<Input>;
  readonly #gatherings = new Map<number, Gathering>();
  /** Signals that other nodes were asked to pass on. */
  readonly #passings = new Map<number, SignalMessage>();
  #peers: readonly NodeId[] = [];
  #calls = 0;

  constructor(registry: SessionRegistry, self: Ref<Input>) {
    this.#registry = registry;
    this.#self = self;
  }

  receive(message: Input, context: Context<Input>): void {
    switch (message.kind) {
      case 'sql.peers':
        this.#peers = message.nodes;
        return;
      case 'sql.gather':
        this.#gather(message, context);
        return;
      case 'sql.gathered':
        this.#gathered(message, context);
        return;
      case 'sql.signal':
        this.#signal(message, context);
        return;
      case 'sql.signalled':
        this.#signalled(message.call, message.outcome, context);
        return;
      case 'sql.gatherLate':
        this.#late(message.call, context);
        return;
      case 'sql.gone':
        this.#look(message, context);
        return;
      case 'actor.refused':
        this.#refused(message, context);
        return;
      default:
        unreachable(message);
    }
  }

  #gather(question: GatherMessage, context: Context<Input>): void {
    const sessions = [...this.#registry.reports()];
    const others = question.reach === 'node' ? [] : this.#peers;
    const call = this.#nextCall();
    const gathering = { question, sessions, waiting: new Set(others), missing: [] };
    if (others.length === 0) {
      this.#answer(gathering, context);
      return;
    }
    this.#gatherings.set(call, gathering);
    for (const node of others) {
      const asked: GatherMessage = { kind: 'sql.gather', call, reach: 'node', replyTo: this.#self };
      context.send(activityAt(node, this.#self.place), asked);
    }
    context.setTimer(timerOf(call), gatherMs, { kind: 'sql.gatherLate', call });
  }

  #gathered({ call, node, sessions }: GatheredMessage, context: Context<Input>): void {
    const gathering = this.#gatherings.get(call);
    if (gathering?.waiting.delete(node) !== true) return;
    gathering.sessions.push(...sessions);
    if (gathering.waiting.size === 0) this.#end(call, gathering, context);
  }

  #end(call: number, gathering: Gathering, context: Context<Input>): void {
    this.#gatherings.delete(call);
    context.cancelTimer(timerOf(call));
    this.#answer(gathering, context);
  }

  #answer(gathering: Gathering, context: Context<Input>): void {
    const { question, sessions, waiting, missing } = gathering;
    context.send<GatheredMessage>(question.replyTo, {
      ...{ kind: 'sql.gathered', call: question.call, node: this.#self.node, sessions },
      missing: [...missing, ...waiting],
    });
  }

  #signal(signal: SignalMessage, context: Context<Input>): void {
    const { pid, what, request } = signal;
    const node = nodeOfPid(pid);
    if (node !== this.#self.node) {
      this.#pass(signal, node, context);
      return;
    }
    const session = this.#registry.get(pid);
    if (session === undefined) {
      this.#tell(signal, 'absent', context);
      return;
    }
    const message = { kind: 'sql.interrupt', what, request: request || undefined } as const;
    context.send<InterruptMessage>(session.ref, message);
    if (signal.waitMs === 0) this.#tell(signal, 'done', context);
    else this.#lookAgain(signal, context.nowMs + signal.waitMs, context);
  }

  #pass(signal: SignalMessage, node: NodeId, context: Context<Input>): void {
    if (!this.#peers.includes(node)) {
      this.#tell(signal, 'absent', context);
      return;
    }
    const call = this.#nextCall();
    this.#passings.set(call, signal);
    context.send(activityAt(node, this.#self.place), { ...signal, call, replyTo: this.#self });
    const message = { kind: 'sql.gatherLate', call } as const;
    context.setTimer(timerOf(call), gatherMs + signal.waitMs, message);
  }

  #signalled(call: number, outcome: SignalledMessage['outcome'], context: Context<Input>): void {
    const signal = this.#passings.get(call);
    if (signal === undefined) return;
    this.#passings.delete(call);
    context.cancelTimer(timerOf(call));
    this.#tell(signal, outcome, context);
  }

  #lookAgain(signal: SignalMessage, untilMs: number, context: Context<Input>): void {
    const inMs = Math.min(terminationLookMs, Math.max(0, untilMs - context.nowMs));
    const name = `gone/${this.#nextCall()}`;
    context.setTimer(name, inMs, { kind: 'sql.gone', signal, untilMs });
  }

  #look({ signal, untilMs }: GoneMessage, context: Context<Input>): void {
    if (this.#registry.get(signal.pid) === undefined) this.#tell(signal, 'done', context);
    else if (context.nowMs >= untilMs) this.#tell(signal, 'lasting', context);
    else this.#lookAgain(signal, untilMs, context);
  }

  #tell(
    { replyTo, call }: SignalMessage,
    outcome: SignalledMessage['outcome'],
    context: Context<Input>,
  ): void {
    context.send<SignalledMessage>(replyTo, { kind: 'sql.signalled', call, outcome });
  }

  #late(call: number, context: Context<Input>): void {
    const gathering = this.#gatherings.get(call);
    if (gathering !== undefined) this.#end(call, gathering, context);
    this.#signalled(call, 'silent', context);
  }

  /** Another node could not be asked. */
  #refused({ message, to }: ActorRefused, context: Context<Input>): void {
    const { call } = message as GatherMessage | SignalMessage;
    const gathering = this.#gatherings.get(call);
    if (gathering?.waiting.delete(to.node) === true) {
      gathering.missing.push(to.node);
      if (gathering.waiting.size === 0) this.#end(call, gathering, context);
    }
    this.#signalled(call, 'silent', context);
  }

  #nextCall(): number {
    this.#calls += 1;
    return this.#calls;
  }
}

function timerOf(call: number): string {
  return `gather/${call}`;
}

/** The kind `activity`; spawned under {@link activityName} where sessions are. */
export const activityKind: ActorKind<Input> = {
  kind: 'activity',
  messages: [
    ...activityMessages,
    ...activityAnswers,
    { kind: 'sql.peers', priority: 'normal', flow: 'reply' },
    { kind: 'sql.gatherLate', priority: 'normal', flow: 'reply' },
    { kind: 'sql.gone', priority: 'normal', flow: 'reply' },
    runtimeMessages.refused,
  ],
  create: (_args, place, self) => new Activity(place.resource(sessionRegistry), self),
};
