/**
 * The members of a cluster as rows of database 0, storage 2, and what the leader does so that the
 * group's configuration becomes what they say. The rows say what shall be, the configuration what is;
 * so a leader that fails in the middle of a change is followed by one that goes on with it.
 *
 *     01 node:4   -> the node
 *     02          -> settings of the cluster
 *
 * A row is written only where it is still as it was read, so that a deposed leader overwrites nothing.
 */
import { must } from '../base/assert.js';
import { ByteWriter, prefixEnd } from '../base/bytes.js';
import type { DatabaseId, NodeId, StorageId } from '../base/ids.js';
import { type Members, membersRefusal } from '../raft/index.js';
import type { Span } from '../storage/engine.js';
import type { Configuration } from '../storage/index.js';
import { dataPrefix, keyKind } from '../storage/keys.js';
import { fieldsOf } from './fields.js';
import { roles } from './formation.js';
import type { Founder, Role } from './protocol.js';

/** `gone`: no member any more; its number cannot be used again. */
export type MemberState = 'joining' | 'active' | 'leaving' | 'gone';

export interface MemberRow {
  readonly node: NodeId;
  readonly instance: string;
  readonly address: string;
  /** Where it takes SQL; empty when nowhere. */
  readonly http: string;
  readonly role: Role;
  readonly state: MemberState;
  /** Its change is one with that of all others of which this says so; `back`: it is being given up. */
  readonly joint: 'no' | 'forward' | 'back';
}

const joints = ['no', 'forward', 'back'] as const;
const states: readonly MemberState[] = ['joining', 'active', 'leaving', 'gone'];
const prefix = dataPrefix(0 as DatabaseId, 2 as StorageId, keyKind.row);
const rowKind = { member: 1, settings: 2 } as const;

/** All rows of this storage. */
export const memberSpan: Span = {
  from: prefix,
  to: must(prefixEnd(prefix), 'a prefix has an end'),
};

export const settingsKey: Uint8Array = new ByteWriter()
  .raw(prefix)
  .uint8(rowKind.settings)
  .finish();

export function memberKey(node: NodeId): Uint8Array {
  return new ByteWriter().raw(prefix).uint8(rowKind.member).uint32(node).finish();
}

/** Whether the key is that of a member's row. */
export function isMemberKey(key: Uint8Array): boolean {
  return key[prefix.length] === rowKind.member;
}

export function encodeMember(row: MemberRow): Uint8Array {
  return Buffer.from(JSON.stringify({ format: 1, ...row }), 'utf8');
}

/** Raises `protocol_violation` when the bytes are no member's row. */
export function decodeMember(bytes: Uint8Array): MemberRow {
  const fields = fieldsOf(bytes, 'member');
  return {
    node: fields.node('node'),
    instance: fields.uuid('instance'),
    address: fields.text('address'),
    http: fields.text('http'),
    role: fields.oneOf('role', roles),
    state: fields.oneOf('state', states),
    joint: fields.has('joint') ? fields.oneOf('joint', joints) : 'no',
  };
}

/** What the leader does next; `text` says it to operators. */
export type Step =
  | { readonly kind: 'write'; readonly row: MemberRow; readonly text: string }
  | {
      readonly kind: 'reconfigure';
      readonly members: Members;
      readonly joint: boolean;
      readonly text: string;
    }
  | { readonly kind: 'rollback'; readonly text: string }
  /** `to` undefined: whoever is the most up to date. */
  | { readonly kind: 'transfer'; readonly to: NodeId | undefined; readonly text: string };

export interface Reconciled {
  readonly self: NodeId;
  readonly rows: ReadonlyMap<NodeId, MemberRow>;
  readonly founders: readonly Founder[];
  readonly configuration: Configuration;
  /** Nodes that run a replica of this cluster and are linked now. */
  readonly running: ReadonlySet<NodeId>;
}

/**
 * The next step of the leader `self`; undefined when all is as it shall be, or waits: for the end of a
 * joint change, or for a new member to start its replica.
 */
export function nextStep(state: Reconciled): Step | undefined {
  const { rows, configuration, founders } = state;
  if (configuration.outgoing.length > 0) return undefined;
  for (const founder of founders) {
    if (rows.has(founder.node)) continue;
    const row: MemberRow = { ...founder, http: '', state: 'active', joint: 'no' };
    return { kind: 'write', row, text: `node ${founder.node} is a member` };
  }
  const sorted = [...rows.values()].sort((a, b) => a.node - b.node);
  // Those that leave go first: a dead node that is being replaced must not be waited for.
  for (const row of sorted) {
    const step = row.state === 'leaving' ? leaving(row, state) : undefined;
    if (step !== undefined) return step;
  }
  // Witnesses come last: it may take others with data before they may come in.
  const isWitness = ({ role }: MemberRow): boolean => role === 'witness';
  const last = sorted.filter(isWitness);
  for (const row of [...sorted.filter((each) => !isWitness(each)), ...last]) {
    const step = row.state === 'joining' ? joining(row, state) : undefined;
    if (step !== undefined) return step;
  }
  return undefined;
}

function leaving(row: MemberRow, { configuration, self }: Reconciled): Step {
  const { node } = row;
  const { voters, learners } = configuration;
  if (!voters.includes(node) && !learners.includes(node)) {
    return { kind: 'write', row: { ...row, state: 'gone' }, text: `node ${node} has left` };
  }
  if (node === self)
    return { kind: 'transfer', to: undefined, text: `node ${node} leaves and hands over` };
  return {
    kind: 'reconfigure',
    joint: false,
    members: without(configuration, node),
    text: `removes node ${node} from the group`,
  };
}

function joining(row: MemberRow, { configuration, running }: Reconciled): Step | undefined {
  const { node, role } = row;
  const { voters, learners, witnesses } = configuration;
  const isVoter = voters.includes(node);
  const isLearner = learners.includes(node);
  if (isVoter || (isLearner && role === 'learner')) {
    return { kind: 'write', row: { ...row, state: 'active' }, text: `node ${node} has joined` };
  }
  if (!running.has(node)) return undefined;
  if (role === 'witness') {
    const members = without(configuration, node);
    return {
      kind: 'reconfigure',
      joint: false,
      members: {
        ...members,
        voters: [...members.voters, node],
        witnesses: [...witnesses, node],
      },
      text: `adds node ${node} as a witness`,
    };
  }
  if (!isLearner) {
    return {
      kind: 'reconfigure',
      joint: false,
      members: { voters, learners: [...learners, node], witnesses },
      text: `adds node ${node} as a learner`,
    };
  }
  return {
    kind: 'reconfigure',
    joint: false,
    members: {
      voters: [...voters, node],
      learners: learners.filter((each) => each !== node),
      witnesses,
    },
    text: `makes node ${node} a voter`,
  };
}

/** The members of a configuration but for one. */
export function without({ voters, learners, witnesses }: Members, node: NodeId): Members {
  const rest = (nodes: readonly NodeId[]): NodeId[] => nodes.filter((each) => each !== node);
  return { voters: rest(voters), learners: rest(learners), witnesses: rest(witnesses) };
}

/**
 * Why a node may not be removed now; undefined when it may. Those that are `leaving` already count as
 * gone. `alive` are the nodes that live, this one too.
 */
export function refusalToRemove(
  configuration: Configuration,
  node: NodeId,
  leaving: ReadonlySet<NodeId>,
  alive: ReadonlySet<NodeId>,
): string | undefined {
  if (!configuration.voters.includes(node)) return undefined;
  let rest = without(configuration, node);
  for (const gone of leaving) rest = without(rest, gone);
  const { voters } = rest;
  const living = voters.filter((voter) => alive.has(voter));
  if (!living.some((voter) => !configuration.witnesses.includes(voter))) {
    return `without node ${node} no voter with data would be alive`;
  }
  if (living.length * 2 > voters.length) return membersRefusal(rest);
  return `without node ${node} only ${living.length} of ${voters.length} voters would be alive, which is no majority`;
}
