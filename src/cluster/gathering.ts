/** Asks this node's replica and the other nodes how they stand, and compares replicas. */
import type { NodeId, Timestamp } from '../base/ids.js';
import type { HashMessage, InspectMessage, ReplicaStatus } from '../shard/protocol.js';
import type { AdminValue } from '../sql/session/protocol.js';
import type { Pending } from './pending.js';
import type { AskMessage } from './protocol.js';
import { nodeReport, objectOf } from './status.js';
import type { Turn, View } from './view.js';

export type Reports = ReadonlyMap<NodeId, AdminValue>;

/** What is asked of a node. */
type Question = Pick<AskMessage, 'about' | 'at'>;
/** Undefined: it did not answer in time. */
type OnReport = (report: AdminValue | undefined, context: Turn) => void;

export class Gathering {
  readonly #view: View;
  readonly #pending: Pending;
  readonly #notReady: () => string | undefined;

  constructor(view: View, pending: Pending, notReady: () => string | undefined) {
    this.#view = view;
    this.#pending = pending;
    this.#notReady = notReady;
  }

  /** What this node has to say, to its operators or to another node. */
  own({ about, at }: Question, context: Turn, done: OnReport): void {
    if (about === 'hash') this.#hash(at, context, done);
    else {
      this.#inspect(context, (status, later) =>
        done(nodeReport(this.#view, status, this.#notReady()), later),
      );
    }
  }

  /** The reports of all nodes that live and answer in time. */
  all(context: Turn, done: (reports: Reports, context: Turn) => void): void {
    const nodes = [this.#view.node, ...this.#view.liveness.alive];
    this.#askAll(nodes, { about: 'status', at: undefined }, context, done);
  }

  /**
   * Compares what the replicas that keep data hold as of one timestamp: the newest one of the first
   * that answers; the others answer when they have applied as much.
   */
  check(context: Turn, done: (value: AdminValue, context: Turn) => void): void {
    const { configuration, alive, node: self } = this.#view;
    const { voters = [], learners = [], witnesses = [] } = configuration ?? {};
    const members = [...voters, ...learners].filter((node) => !witnesses.includes(node));
    const living = members.filter((node) => alive.has(node));
    const first = living.includes(self) ? self : living[0];
    if (first === undefined) {
      done({ equal: false, complete: false, at: null, nodes: [] }, context);
      return;
    }
    this.#ask(first, { about: 'hash', at: undefined }, context, (report, turn) => {
      const { at } = objectOf(report);
      if (typeof at !== 'number') {
        done({ equal: false, complete: false, at: null, nodes: [] }, turn);
        return;
      }
      const question: Question = { about: 'hash', at: at as Timestamp };
      this.#askAll(living, question, turn, (reports, later) => {
        const nodes = [...reports].map(([node, each]) => ({ node, ...objectOf(each) }));
        const hashes = new Set([...reports.values()].map((each) => objectOf(each).hash));
        const equal = hashes.size === 1;
        const value = { equal, complete: reports.size === members.length, at, nodes };
        if (hashes.size > 1) later.log('error', 'cluster.replicasDiffer', value);
        done(value, later);
      });
    });
  }

  #askAll(
    nodes: readonly NodeId[],
    question: Question,
    context: Turn,
    done: (reports: Reports, context: Turn) => void,
  ): void {
    const reports = new Map<NodeId, AdminValue>();
    let missing = nodes.length;
    for (const node of nodes) {
      this.#ask(node, question, context, (report, later) => {
        if (report !== undefined) reports.set(node, report);
        missing -= 1;
        if (missing === 0) done(reports, later);
      });
    }
  }

  #ask(node: NodeId, question: Question, context: Turn, done: OnReport): void {
    const view = this.#view;
    if (node === view.node) {
      this.own(question, context, done);
      return;
    }
    const { askMs, checkMs } = view.limits;
    const dueMs = context.nowMs + (question.about === 'hash' ? checkMs : askMs);
    const token = this.#pending.ask(dueMs, (answer, later) =>
      done(
        answer?.kind === 'cluster.told' && answer.report !== null ? answer.report : undefined,
        later,
      ),
    );
    const { clusterId = '', node: from } = view;
    const message: AskMessage = { kind: 'cluster.ask', from, clusterId, token, ...question };
    view.toPeer(node, message, context);
  }

  #inspect(context: Turn, done: (status: ReplicaStatus | undefined, context: Turn) => void): void {
    if (this.#view.phase !== 'formed') {
      done(undefined, context);
      return;
    }
    const token = this.#pending.ask(context.nowMs + this.#view.limits.askMs, (answer, later) =>
      done(answer?.kind === 'shard.status' ? answer : undefined, later),
    );
    const message: InspectMessage = { kind: 'shard.inspect', token, replyTo: context.self };
    this.#view.toReplica(message, context);
  }

  #hash(at: Timestamp | undefined, context: Turn, done: OnReport): void {
    if (this.#view.phase !== 'formed') {
      done(undefined, context);
      return;
    }
    const token = this.#pending.ask(context.nowMs + this.#view.limits.checkMs, (answer, later) => {
      if (answer?.kind !== 'shard.hashed') done(undefined, later);
      else done({ at: answer.at, hash: answer.hash, rows: answer.rows }, later);
    });
    const message: HashMessage = { kind: 'shard.hash', token, at, replyTo: context.self };
    this.#view.toReplica(message, context);
  }
}
