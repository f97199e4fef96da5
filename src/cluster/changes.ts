/** The leader's part: it writes the members' rows and makes the group's configuration follow them. */
import { assert } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { ReconfigureMessage, TransferMessage, WriteMessage } from '../shard/protocol.js';
import {
  encodeMember,
  memberKey,
  type MemberRow,
  nextStep,
  type Reconciled,
  type Step,
} from './members.js';
import type { Pending } from './pending.js';
import type { HelloMessage } from './protocol.js';
import { replacingStep } from './replacing.js';
import type { Turn, View } from './view.js';

/** What came of a write: `again` when a row had changed or nobody led. */
export type Written = 'done' | 'again';

export class Changes {
  readonly #view: View;
  readonly #pending: Pending;
  #lookedMs = Number.NEGATIVE_INFINITY;
  /** The step under way. */
  #step: string | undefined;
  /** Why the last step was refused; it is tried again. */
  #refusal: string | undefined;

  constructor(view: View, pending: Pending) {
    this.#view = view;
    this.#pending = pending;
  }

  /** The change under way, for operators. */
  get progress(): { readonly step: string | null; readonly refusal: string | null } {
    return { step: this.#step ?? null, refusal: this.#refusal ?? null };
  }

  /** Does the next step when it is time; only the leader's actor does anything. */
  look(context: Turn): void {
    const view = this.#view;
    const { configuration, formation } = view;
    // A node that talks to no other keeps no rows.
    if (view.args.address === undefined) return;
    if (!view.leads || configuration === undefined || formation === undefined) return;
    if (this.#step !== undefined) return;
    if (context.nowMs - this.#lookedMs < view.limits.reconcileMs) return;
    this.#lookedMs = context.nowMs;
    const state: Reconciled = {
      self: view.node,
      rows: view.rows,
      founders: formation.founders,
      configuration,
      running: this.#running(),
    };
    const replacing = replacingStep(state);
    const step = replacing === 'none' ? nextStep(state) : replacing;
    if (step !== undefined) this.#do(step, context);
    else this.#refresh(context);
  }

  /** Whether a row is missing for a member of the group: the leader is about to write it. */
  get incomplete(): boolean {
    const { formation, rows } = this.#view;
    return formation?.founders.some(({ node }) => !rows.has(node)) !== false;
  }

  /** Writes a row if it is as it was read. */
  write(row: MemberRow, context: Turn, done: (written: Written, context: Turn) => void): void {
    this.writeRows([row], context, done);
  }

  /**
   * Writes rows, all of them or none, if all rows are as they were read: what is decided about one member
   * rests on the others, and another leader may have decided about them meanwhile.
   */
  writeRows(
    rows: readonly MemberRow[],
    context: Turn,
    done: (written: Written, context: Turn) => void,
  ): void {
    const { values } = this.#view;
    const others = [...this.#view.rows.keys()].filter((node) =>
      rows.every((row) => row.node !== node),
    );
    const writes = [
      ...rows.map((row) => ({
        ...{ key: memberKey(row.node), was: values.get(row.node), value: encodeMember(row) },
      })),
      ...others.map((node) => ({
        ...{ key: memberKey(node), was: values.get(node), value: 'kept' as const },
      })),
    ];
    this.#write(writes, context, done);
  }

  /** Writes a value if the one before it is `was`. */
  writeValue(
    key: Uint8Array,
    was: Uint8Array | undefined,
    value: Uint8Array,
    context: Turn,
    done: (written: Written, context: Turn) => void,
  ): void {
    this.#write([{ key, was, value }], context, done);
  }

  #write(
    writes: WriteMessage['writes'],
    context: Turn,
    done: (written: Written, context: Turn) => void,
  ): void {
    const token = this.#pending.ask(context.nowMs + this.#view.limits.commandMs, (answer, later) =>
      done(answer?.kind === 'shard.committed' ? 'done' : 'again', later),
    );
    const message: WriteMessage = { kind: 'shard.write', token, writes, replyTo: context.self };
    this.#view.toReplica(message, context);
  }

  /** Has the replica hand over; `done` gets the refusal, undefined when another leads. */
  transfer(
    to: NodeId | undefined,
    waitMs: number,
    context: Turn,
    done: (refusal: string | undefined, context: Turn) => void,
  ): void {
    const token = this.#pending.ask(context.nowMs + waitMs, (answer, later) => {
      if (answer?.kind === 'shard.changed') done(undefined, later);
      else done(answer?.kind === 'shard.refused' ? answer.text : 'no answer in time', later);
    });
    const message: TransferMessage = { kind: 'shard.transfer', token, to, replyTo: context.self };
    this.#view.toReplica(message, context);
  }

  /** A node wants to become a member; the leader writes its row. */
  admit(hello: HelloMessage, context: Turn): void {
    const { rows, leads } = this.#view;
    if (!leads || this.incomplete || this.#step !== undefined || rows.has(hello.from)) return;
    const { from: node, instance, address, http, role } = hello;
    const row: MemberRow = { node, instance, address, http, role, state: 'joining', joint: 'no' };
    this.#do({ kind: 'write', row, text: `admits node ${node} as a ${role}` }, context);
  }

  #do(step: Step, context: Turn): void {
    assert(this.#step === undefined, 'one change at a time', step.text);
    this.#step = step.text;
    const done = (refusal: string | undefined, later: Turn): void => {
      this.#step = undefined;
      this.#note(step.text, refusal, later);
    };
    switch (step.kind) {
      case 'write':
        this.write(step.row, context, (written, later) =>
          done(written === 'done' ? undefined : 'the row has changed or nobody leads', later),
        );
        return;
      case 'transfer':
        context.probe('cluster.leavingLeader');
        this.transfer(step.to, this.#view.limits.commandMs, context, done);
        return;
      case 'reconfigure':
      case 'rollback': {
        const token = this.#pending.ask(
          context.nowMs + this.#view.limits.commandMs,
          (answer, later) => {
            if (answer?.kind === 'shard.changed') done(undefined, later);
            else done(answer?.kind === 'shard.refused' ? answer.text : 'no answer in time', later);
          },
        );
        const change =
          step.kind === 'rollback'
            ? ({ members: 'rollback', joint: true } as const)
            : { members: step.members, joint: step.joint };
        const message: ReconfigureMessage = {
          ...{ kind: 'shard.reconfigure', token, ...change, replyTo: context.self },
        };
        this.#view.toReplica(message, context);
      }
    }
  }

  #note(text: string, refusal: string | undefined, context: Turn): void {
    if (refusal === undefined) context.log('info', 'cluster.change', { change: text });
    else if (refusal !== this.#refusal) {
      context.probe('cluster.changeRefused');
      context.log('info', 'cluster.changeWaits', { change: text, reason: refusal });
    }
    this.#refusal = refusal;
  }

  /** Members whose replica runs, as far as their greetings say. */
  #running(): ReadonlySet<NodeId> {
    const { greeted, clusterId, liveness } = this.#view;
    const running = [...greeted.values()].filter(
      (hello) => hello.clusterId === clusterId && liveness.isAlive(hello.from),
    );
    return new Set(running.map((hello) => hello.from));
  }

  /** Brings a row up to date when its node is reached elsewhere than before. */
  #refresh(context: Turn): void {
    const view = this.#view;
    for (const hello of [view.hello(), ...view.greeted.values()]) {
      const row = view.rows.get(hello.from);
      if (row === undefined || row.instance !== hello.instance || row.state === 'gone') continue;
      if (hello.clusterId !== view.clusterId) continue;
      if (row.address === hello.address && row.http === hello.http) continue;
      const next = { ...row, address: hello.address, http: hello.http };
      const step: Step = { kind: 'write', row: next, text: `node ${row.node} has moved` };
      this.#do(step, context);
      return;
    }
  }
}
