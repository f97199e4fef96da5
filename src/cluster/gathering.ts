import type { NodeId } from '../base/ids.js';
import type { InspectMessage, ReplicaStatus } from '../shard/protocol.js';
import type { AdminValue } from '../sql/session/protocol.js';
import type { Pending } from './pending.js';
import type { AskMessage } from './protocol.js';
import { nodeReport, objectOf } from './status.js';
import type { Turn, View } from './view.js';

export type Reports = ReadonlyMap<NodeId, AdminValue>;

export class Gathering {
  readonly #view: View;
  readonly #pending: Pending;
  readonly #notReady: () => string | undefined;

  constructor(view: View, pending: Pending, notReady: () => string | undefined) {
    this.#view = view;
    this.#pending = pending;
    this.#notReady = notReady;
  }

  /** Has this node's replica say how it stands; undefined: there is none, or it does not answer. */
  inspect(context: Turn, done: (status: ReplicaStatus | undefined, context: Turn) => void): void {
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

  /** The report of this node. */
  own(context: Turn, done: (report: AdminValue, context: Turn) => void): void {
    this.inspect(context, (status, later) =>
      done(nodeReport(this.#view, status, this.#notReady()), later),
    );
  }

  /** The reports of all nodes that live and answer in time. */
  all(context: Turn, done: (reports: Reports, context: Turn) => void): void {
    const view = this.#view;
    const reports = new Map<NodeId, AdminValue>();
    const others = view.liveness.alive;
    let missing = others.length + 1;
    const take = (node: NodeId, report: AdminValue | undefined, later: Turn): void => {
      if (report !== undefined) reports.set(node, report);
      missing -= 1;
      if (missing === 0) done(reports, later);
    };
    for (const node of others) {
      const token = this.#pending.ask(context.nowMs + view.limits.askMs, (answer, later) =>
        take(node, answer?.kind === 'cluster.told' ? answer.report : undefined, later),
      );
      const { clusterId = '' } = view;
      const message: AskMessage = { kind: 'cluster.ask', from: view.node, clusterId, token };
      view.toPeer(node, message, context);
    }
    this.own(context, (report, later) => take(view.node, report, later));
  }

  /**
   * Compares the replicas that keep data, each as it was at an applied index that another one has been
   * seen at too; asks again until all have been compared or time is up.
   */
  check(context: Turn, done: (value: AdminValue, context: Turn) => void): void {
    const dueMs = context.nowMs + this.#view.limits.checkMs;
    const seen = new Map<NodeId, Map<number, string>>();
    const round = (turn: Turn): void =>
      this.all(turn, (reports, later) => {
        for (const [node, report] of reports) this.#note(seen, node, report);
        const value = this.#compared(seen);
        const { equal, complete } = value as { equal: boolean; complete: boolean };
        if (complete || !equal || later.nowMs >= dueMs) {
          if (!equal) later.log('error', 'cluster.replicasDiffer', { ...objectOf(value) });
          done(value, later);
          return;
        }
        // The next round begins when this question is given up.
        this.#pending.ask(later.nowMs + checkPauseMs, (_, next) => round(next));
      });
    round(context);
  }

  #note(seen: Map<NodeId, Map<number, string>>, node: NodeId, report: AdminValue): void {
    if (this.#view.configuration?.witnesses.includes(node) === true) return;
    const { appliedIndex, stateHash } = objectOf(objectOf(report).replica);
    if (typeof appliedIndex !== 'number' || typeof stateHash !== 'string') return;
    const hashes = seen.get(node) ?? new Map<number, string>();
    hashes.set(appliedIndex, stateHash);
    seen.set(node, hashes);
  }

  #compared(seen: ReadonlyMap<NodeId, ReadonlyMap<number, string>>): AdminValue {
    const { voters = [], learners = [], witnesses = [] } = this.#view.configuration ?? {};
    const members = [...voters, ...learners].filter((node) => !witnesses.includes(node));
    const differ: AdminValue[] = [];
    const compared = new Set<NodeId>();
    for (const [one, hashes] of seen) {
      if (members.length === 1) compared.add(one);
      for (const [other, others] of seen) {
        if (other <= one) continue;
        for (const [index, hash] of hashes) {
          const its = others.get(index);
          if (its === undefined) continue;
          compared.add(one).add(other);
          if (its !== hash) differ.push({ nodes: [one, other], appliedIndex: index });
        }
      }
    }
    return {
      equal: differ.length === 0,
      complete: members.length > 0 && members.every((node) => compared.has(node)),
      compared: [...compared].sort((a, b) => a - b),
      differ,
      nodes: [...seen].map(([node, hashes]) => {
        const [appliedIndex, stateHash] = [...hashes].at(-1) ?? [0, ''];
        return { node, appliedIndex, stateHash };
      }),
    };
  }
}

const checkPauseMs = 50;
