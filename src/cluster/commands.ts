import { DatabaseError, type ErrorName, raise } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type {
  AdminAnswer,
  AdminMessage,
  AdminValue,
  ErrorFields,
} from '../sql/session/protocol.js';
import type { Changes } from './changes.js';
import { Fields } from './fields.js';
import { formationOf } from './formation.js';
import type { Checks } from './checks.js';
import { type Gathering, ofStatus } from './gathering.js';
import { refusalToRemove, settingsKey } from './members.js';
import {
  givenUpRows,
  isReplaced,
  isReplacing,
  refusalToReplace,
  type Replacement,
  replacedRows,
} from './replacing.js';
import type { Pending } from './pending.js';
import type { CommandMessage, ControlMessage, Formation, OutcomeMessage } from './protocol.js';
import { clusterReport, quorumReport } from './status.js';
import { changedTiming, timingRefusal, timingValue } from './timing.js';
import type { Turn, View } from './view.js';

/** What came of a command: an answer, or `again` when it cannot be carried out here and now. */
type Outcome = Pick<OutcomeMessage, 'value' | 'error' | 'again'>;
type Done = (outcome: Outcome, context: Turn) => void;

export interface CommandParts {
  readonly view: View;
  readonly pending: Pending;
  readonly changes: Changes;
  readonly gathering: Gathering;
  readonly checks: Checks;
  readonly notReady: () => string | undefined;
  /** Makes the node a member of a cluster. */
  readonly take: (formation: Formation, context: Turn) => void;
  /** Links and greetings follow from what is known: look again. */
  readonly reach: (context: Turn) => void;
}

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
/** The pause before a command is tried again. */
const retryMs = 100;
/** How long one leader is waited for. */
const attemptMs = 2000;

export class Commands {
  readonly #parts: CommandParts;

  constructor(parts: CommandParts) {
    this.#parts = parts;
  }

  /** A function called in a session of this node. */
  onAdmin(message: AdminMessage, context: Turn): void {
    const answer: Done = ({ value = null, error }, later) => {
      const reply: AdminAnswer = {
        ...{ kind: 'sql.adminAnswer', call: message.call },
        ...(error === undefined ? { value } : { error }),
      };
      later.send(message.replyTo, reply);
    };
    guarded(answer, context, () => this.#run(message, answer, context));
  }

  /** A command that another node sends because this one leads. */
  onCommand(message: CommandMessage, context: Turn): void {
    const { view } = this.#parts;
    const answer: Done = (outcome, later) => {
      const { clusterId, token } = message;
      const reply: OutcomeMessage = { kind: 'cluster.outcome', clusterId, token, ...outcome };
      view.toPeer(message.from, reply, later);
    };
    guarded(answer, context, () => this.#lead(message.name, message.arguments, answer, context));
  }

  #run({ name, arguments: args }: AdminMessage, done: Done, context: Turn): void {
    const { view, gathering, checks, changes, notReady } = this.#parts;
    const answer = (value: AdminValue, later = context): void => done({ value }, later);
    switch (name) {
      case 'cluster_init':
        answer(this.#init(context));
        return;
      case 'cluster_join':
        answer(this.#join(args[0], context));
        return;
      case 'cluster_leave':
        this.#send('cluster_decommission', [view.node], done, context);
        return;
      case 'cluster_decommission':
      case 'cluster_transfer':
      case 'cluster_replace':
      case 'cluster_give_up':
        this.#send(name, args, done, context);
        return;
      case 'cluster_status':
      case 'cluster_topology':
        gathering.all(context, (reports, later) =>
          answer(clusterReport(view, reports, changes, notReady()), later),
        );
        return;
      case 'cluster_check':
        checks.run(0, context, answer);
        return;
      case 'cluster_quorum':
        answer(quorumReport(view));
        return;
      case 'node_status':
        gathering.own(ofStatus, context, (report = null, later) => answer(report, later));
        return;
      case 'node_stop':
        this.#control({ stop: true }, context);
        answer({ stopping: true });
        return;
      case 'log_level':
        answer(this.#logLevel(args[0], context));
        return;
      case 'raft_timing':
        if (args[0] === undefined) answer(timingValue(view.timing));
        else this.#send(name, args, done, context);
        return;
      default:
        raise('undefined_function', `function shardforge.${name} does not exist`);
    }
  }

  #init(context: Turn): AdminValue {
    const { view } = this.#parts;
    this.#mustBeEmpty();
    const { seeds, newClusterId, role } = view.args;
    if (seeds.length > 0) refuse('the node forms a cluster with its seeds (cluster.seeds)');
    if (view.join.length > 0) refuse(`the node joins ${view.join.join(', ')} (cluster.join)`);
    if (role !== 'voter') refuse(`a ${role} cannot be the first node of a cluster`);
    this.#parts.take(formationOf(newClusterId, [view.hello()]), context);
    return { clusterId: newClusterId, node: view.node };
  }

  #join(addresses: AdminValue | undefined, context: Turn): AdminValue {
    const { view } = this.#parts;
    const list = typeof addresses === 'string' ? addresses.split(',') : addresses;
    const join = new Fields({ list }, 'cluster_join').texts('list').map((text) => text.trim());
    if (join.length === 0 || join.some((address) => !/^[^\s/]+:\d{1,5}$/.test(address))) {
      raise('invalid_parameter_value', 'the addresses of members are host:port');
    }
    if (view.args.address === undefined) refuse('the node has no mesh (mesh.enabled)');
    this.#mustBeEmpty();
    view.join = join;
    view.refused = undefined;
    this.#parts.reach(context);
    return { joining: join };
  }

  #mustBeEmpty(): void {
    const { phase, node, clusterId } = this.#parts.view;
    if (phase === 'starting') raise('cannot_connect_now', 'the node is starting');
    if (phase !== 'empty') refuse(`node ${node} belongs to cluster ${clusterId}`);
  }

  #logLevel(level: AdminValue | undefined, context: Turn): AdminValue {
    const logLevel = logLevels.find((each) => each === level);
    if (logLevel === undefined) {
      raise('invalid_parameter_value', `the level is one of ${logLevels.join(', ')}`);
    }
    this.#control({ logLevel }, context);
    return { level: logLevel };
  }

  #control(control: ControlMessage['control'], context: Turn): void {
    context.send(this.#parts.view.args.host, { kind: 'cluster.control', control });
  }

  /** Has the leader carry out a command, also the next one, until time is up. */
  #send(name: string, args: readonly AdminValue[], done: Done, context: Turn): void {
    const { view, pending } = this.#parts;
    if (view.phase !== 'formed') {
      raise('not_in_cluster', this.#parts.notReady() ?? 'the node belongs to no cluster');
    }
    if (view.args.address === undefined) refuse('the node has no mesh (mesh.enabled)');
    const dueMs = context.nowMs + view.limits.commandMs;
    const attempt = (turn: Turn): void => {
      if (view.refused !== undefined) {
        done({ error: errorOf('not_in_cluster', view.refused) }, turn);
        return;
      }
      const settle: Done = (outcome, later) => {
        if (outcome.again !== true) {
          done(outcome, later);
        } else if (later.nowMs >= dueMs) {
          done({ error: errorOf('no_quorum', 'no leader has carried it out in time') }, later);
        } else {
          later.probe('cluster.commandAgain');
          pending.ask(later.nowMs + retryMs, (_, next) => attempt(next));
        }
      };
      const { leader } = view;
      if (view.leads) guarded(settle, turn, () => this.#lead(name, args, settle, turn));
      else if (leader === undefined) settle({ again: true }, turn);
      else {
        const token = pending.ask(turn.nowMs + attemptMs, (answer, later) =>
          settle(answer?.kind === 'cluster.outcome' ? answer : { again: true }, later),
        );
        const command: CommandMessage = {
          ...{ kind: 'cluster.command', from: view.node, clusterId: view.clusterId ?? '' },
          ...{ token, name, arguments: args },
        };
        view.toPeer(leader, command, turn);
      }
    };
    attempt(context);
  }

  /** Carries out a command as the leader. */
  #lead(name: string, args: readonly AdminValue[], done: Done, context: Turn): void {
    const { view, changes } = this.#parts;
    if (!view.leads || changes.incomplete) {
      done({ again: true }, context);
      return;
    }
    switch (name) {
      case 'cluster_decommission':
        this.#decommission(nodeOf(args[0]), done, context);
        return;
      case 'cluster_transfer':
        this.#transfer(args[0] === undefined ? undefined : nodeOf(args[0]), done, context);
        return;
      case 'cluster_replace':
        this.#replace({ leaving: nodesOf(args[0]), joining: nodesOf(args[1]) }, done, context);
        return;
      case 'cluster_give_up':
        this.#giveUp(done, context);
        return;
      case 'raft_timing':
        this.#changeTiming(args[0], done, context);
        return;
      default:
        raise('undefined_function', `${name} is no command for a leader`);
    }
  }

  #decommission(node: NodeId, done: Done, context: Turn): void {
    const { view, changes } = this.#parts;
    const row = view.rows.get(node);
    const { configuration } = view;
    if (row === undefined || configuration === undefined) refuse(`node ${node} is no member`);
    if (row.state === 'gone' || (row.state === 'leaving' && row.joint !== 'back')) {
      done({ value: { node, state: row.state } }, context);
      return;
    }
    // Who votes in the end is not known before.
    if (isReplacing(view.rows)) refuse('members are being replaced: wait for it, or give it up');
    const leaving = [...view.rows.values()].filter(
      ({ state }) => state === 'leaving' || state === 'gone',
    );
    const gone = new Set(leaving.map((each) => each.node));
    const refusal = refusalToRemove(configuration, node, gone, view.alive);
    if (refusal !== undefined) refuse(refusal);
    changes.write({ ...row, state: 'leaving' }, context, (written, later) => {
      if (written === 'done') done({ value: { node, state: 'leaving' } }, later);
      else done({ again: true }, later);
    });
  }

  #replace(replacement: Replacement, done: Done, context: Turn): void {
    const { view, changes } = this.#parts;
    const { rows, configuration, alive } = view;
    const { leaving, joining } = replacement;
    const value: AdminValue = { leaving, joining };
    if (leaving.length + joining.length > 0 && isReplaced(rows, replacement)) {
      done({ value }, context);
      return;
    }
    if (configuration === undefined) refuse('the group is not known yet');
    const refusal = refusalToReplace(rows, configuration, alive, replacement);
    if (refusal !== undefined) refuse(refusal);
    changes.writeRows(replacedRows(rows, replacement), context, (written, later) =>
      done(written === 'done' ? { value } : { again: true }, later),
    );
  }

  #giveUp(done: Done, context: Turn): void {
    const { view, changes } = this.#parts;
    const rows = givenUpRows(view.rows);
    const value: AdminValue = { givenUp: rows.map(({ node }) => node) };
    if (rows.length === 0) {
      if (!isReplacing(view.rows)) refuse('no members are being replaced');
      done({ value }, context);
      return;
    }
    changes.writeRows(rows, context, (written, later) =>
      done(written === 'done' ? { value } : { again: true }, later),
    );
  }

  #transfer(to: NodeId | undefined, done: Done, context: Turn): void {
    const { view, changes } = this.#parts;
    const { voters = [], witnesses = [] } = view.configuration ?? {};
    if (to === view.node) {
      done({ value: { leader: to } }, context);
      return;
    }
    if (to !== undefined) {
      if (!voters.includes(to) || witnesses.includes(to)) refuse(`node ${to} cannot lead`);
      if (!view.liveness.isAlive(to)) refuse(`node ${to} is not alive`);
    }
    changes.transfer(to, attemptMs, context, (refusal, later) => {
      if (refusal === undefined) done({ value: { leader: view.leader ?? to ?? null } }, later);
      else done({ error: errorOf('cluster_change_refused', refusal) }, later);
    });
  }

  #changeTiming(value: AdminValue | undefined, done: Done, context: Turn): void {
    const { view, changes } = this.#parts;
    const fields = new Fields(value, 'raft_timing');
    const timing = changedTiming(view.timing, fields);
    const refusal = timingRefusal(timing, Object.keys(value ?? {}));
    if (refusal !== undefined) raise('invalid_parameter_value', refusal);
    const {
      leaseMs: _,
      clockDrift: __,
      ...kept
    } = timingValue(timing) as Record<string, AdminValue>;
    const bytes = Buffer.from(JSON.stringify({ format: 1, timing: kept }), 'utf8');
    changes.writeValue(settingsKey, view.values.get(0), bytes, context, (written, later) => {
      if (written === 'done') done({ value: timingValue(timing) }, later);
      else done({ again: true }, later);
    });
  }
}

function nodeOf(value: AdminValue | undefined): NodeId {
  return new Fields({ node: value }, 'argument').node('node');
}

/** Of numbers divided by commas, or of none. */
function nodesOf(value: AdminValue | undefined): readonly NodeId[] {
  if (value === undefined || value === '') return [];
  if (typeof value !== 'string' || !/^\s*\d{1,5}(\s*,\s*\d{1,5})*\s*$/.test(value)) {
    raise('invalid_parameter_value', 'nodes are numbers divided by commas');
  }
  return value.split(',').map((node) => nodeOf(Number(node)));
}

function refuse(reason: string): never {
  raise('cluster_change_refused', reason);
}

function errorOf(kind: ErrorName, message: string): ErrorFields {
  return { kind, message, details: {} };
}

/** What is wrong with a command is the answer to it, and no failure of the actor. */
function guarded(done: Done, context: Turn, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    const kind = error.kind === 'protocol_violation' ? 'invalid_parameter_value' : error.kind;
    done({ error: errorOf(kind, error.message) }, context);
  }
}
