/** Asks this node's replica and the other nodes how they stand, and what they hold. */
import type { NodeId } from '../base/ids.js';
import type { HashMessage, InspectMessage, ReplicaStatus } from '../shard/protocol.js';
import type { AdminValue } from '../sql/session/protocol.js';
import type { Pending } from './pending.js';
import type { AskMessage } from './protocol.js';
import { nodeReport } from './status.js';
import type { Turn, View } from './view.js';

export type Reports = ReadonlyMap<NodeId, AdminValue>;

/** What is asked of a node. */
type Question = Pick<AskMessage, 'about' | 'at' | 'start' | 'end'>;
export const ofStatus: Question = { about: 'status', at: undefined, start: '', end: undefined };
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
  own(question: Question, context: Turn, done: OnReport): void {
    if (question.about === 'hash') this.#hash(question, context, done);
    else {
      this.#inspect(context, (status, later) =>
        done(nodeReport(this.#view, status, this.#notReady(), later.nowMs), later),
      );
    }
  }

  /** The reports of all nodes that live and answer in time. */
  all(context: Turn, done: (reports: Reports, context: Turn) => void): void {
    const nodes = [this.#view.node, ...this.#view.liveness.alive];
    this.askAll(nodes, ofStatus, context, done);
  }

  /** Asks several; `done` gets the answers of those that have answered in time. */
  askAll(
    nodes: readonly NodeId[],
    question: Question,
    context: Turn,
    done: (reports: Reports, context: Turn) => void,
  ): void {
    const reports = new Map<NodeId, AdminValue>();
    let missing = nodes.length;
    if (missing === 0) done(reports, context);
    for (const node of nodes) {
      this.ask(node, question, context, (report, later) => {
        if (report !== undefined) reports.set(node, report);
        missing -= 1;
        if (missing === 0) done(reports, later);
      });
    }
  }

  /** Asks one, which may be this one. */
  ask(node: NodeId, question: Question, context: Turn, done: OnReport): void {
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

  #hash({ at, start, end }: Question, context: Turn, done: OnReport): void {
    if (this.#view.phase !== 'formed') {
      done({ refusal: 'it has no replica' }, context);
      return;
    }
    const token = this.#pending.ask(context.nowMs + this.#view.limits.checkMs, (answer, later) => {
      if (answer?.kind === 'shard.hashed') {
        const { hash, rows, to } = answer;
        done({ at: answer.at, hash, rows, end: to === undefined ? null : hexOf(to) }, later);
      } else if (answer?.kind === 'shard.refused') {
        done({ refusal: answer.text, damaged: answer.reason === 'data_corrupted' }, later);
      } else done(undefined, later);
    });
    const message: HashMessage = {
      ...{ kind: 'shard.hash', token, at, replyTo: context.self },
      ...{ from: Buffer.from(start, 'hex'), to: end === undefined ? end : Buffer.from(end, 'hex') },
    };
    this.#view.toReplica(message, context);
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
