/**
 * How a cluster comes about (docs/decisions/0015): pure decisions over what nodes have told of
 * themselves.
 *
 * Two clusters cannot come about from one list of seeds: only the seed with the lowest number coins an
 * id, only while it is linked to all the others and all are empty; and a node takes one formation in
 * its life. Should the coiner lose its disk and coin again, one of the two founders' lists lacks a
 * majority of nodes that took it.
 */
import type { NodeId } from '../base/ids.js';
import { type Members, membersRefusal } from '../raft/index.js';
import { Fields } from './fields.js';
import type { Formation, Founder, HelloMessage, Role } from './protocol.js';

export const roles: readonly Role[] = ['voter', 'learner', 'witness'];

/** What an empty node does about forming a cluster: it forms one, or waits for what the text says. */
export type Founding =
  | { readonly kind: 'forms'; readonly formation: Formation }
  | { readonly kind: 'waits'; readonly reason: string };

/**
 * What `self`, an empty node with seeds, does. `greeted` are the newest greetings of the nodes that it
 * is linked to now.
 */
export function founding(
  self: HelloMessage,
  greeted: readonly HelloMessage[],
  newClusterId: string,
): Founding {
  const founders: [HelloMessage, ...HelloMessage[]] = [self];
  for (const address of self.seeds) {
    if (address === self.address) continue;
    const seed = greeted.find((hello) => hello.address === address);
    if (seed === undefined) return waits(`seed ${address} is not linked yet`);
    const at = `seed ${address} (node ${seed.from})`;
    if (seed.clusterId !== undefined) return waits(`${at} belongs to cluster ${seed.clusterId}`);
    if (!sameList(seed.seeds, self.seeds)) return waits(`${at} has another list of seeds`);
    founders.push(seed);
  }
  const first = Math.min(...founders.map((founder) => founder.from));
  if (first !== self.from) return waits(`node ${first} forms the cluster`);
  if (!founders.some((founder) => founder.role === 'voter')) {
    return waits('no seed is to be a voter');
  }
  const formation = formationOf(newClusterId, founders);
  const refusal = membersRefusal(membersOf(formation.founders));
  return refusal === undefined ? { kind: 'forms', formation } : waits(refusal);
}

/** A cluster of `founders`, the node itself first. */
export function formationOf(
  clusterId: string,
  founders: readonly [HelloMessage, ...HelloMessage[]],
): Formation {
  const sorted = [...founders].sort((a, b) => a.from - b.from);
  return {
    clusterId,
    role: founders[0].role,
    founders: sorted.map(({ from, instance, address, role }) => ({
      node: from,
      instance,
      address,
      role,
    })),
    contacts: [],
  };
}

/** The first members of the group; undefined on a node that joined, which learns them from the leader. */
export function genesisOf({ founders }: Formation): Members | undefined {
  return founders.length === 0 ? undefined : membersOf(founders);
}

function membersOf(founders: readonly Founder[]): Members {
  const nodes = (...wanted: Role[]): NodeId[] =>
    founders.filter(({ role }) => wanted.includes(role)).map(({ node }) => node);
  return {
    voters: nodes('voter', 'witness'),
    learners: nodes('learner'),
    witnesses: nodes('witness'),
  };
}

/** Whether the node may take the formation offered: it is in it, or joins and had been admitted. */
export function mayTake(self: HelloMessage, formation: Formation): boolean {
  if (formation.founders.length === 0) return self.joins;
  return formation.founders.some(
    ({ node, instance }) => node === self.from && instance === self.instance,
  );
}

/** The formation that a directory remembers as JSON. Raises `protocol_violation` when it is none. */
export function formationOfRecord(record: unknown): Formation {
  return readFormation(new Fields(record, 'formation'));
}

export function readFormation(fields: Fields): Formation {
  const { length } = fields.list('founders');
  return {
    clusterId: fields.uuid('clusterId'),
    role: fields.oneOf('role', roles),
    founders: Array.from({ length }, (_, i) => readFounder(fields.item('founders', i))),
    contacts: fields.has('contacts') ? fields.texts('contacts') : [],
  };
}

function readFounder(fields: Fields): Founder {
  return {
    node: fields.node('node'),
    instance: fields.uuid('instance'),
    address: fields.text('address'),
    role: fields.oneOf('role', roles),
  };
}

function waits(reason: string): Founding {
  return { kind: 'waits', reason };
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}
