/**
 * Who takes part in a group, and how that may change: by one server at once, or through a joint
 * configuration (section 6 of the paper, chapter 4 of the thesis). Pure functions over configurations.
 */
import type { NodeId } from '../base/ids.js';
import type { Configuration } from '../storage/index.js';
import type { Members } from './contract.js';
import { majority } from './quorum.js';

export function isVoter({ voters, outgoing }: Configuration, node: NodeId): boolean {
  return voters.includes(node) || outgoing.includes(node);
}

export function isWitness({ witnesses }: Configuration, node: NodeId): boolean {
  return witnesses.includes(node);
}

export function isMember(configuration: Configuration, node: NodeId): boolean {
  return isVoter(configuration, node) || configuration.learners.includes(node);
}

export function isJoint({ outgoing }: Configuration): boolean {
  return outgoing.length > 0;
}

/** Whether `node` is a majority by itself. */
export function isSoleVoter({ voters, outgoing }: Configuration, node: NodeId): boolean {
  return voters.length === 1 && voters[0] === node && outgoing.every((voter) => voter === node);
}

export function allVoters({ voters, outgoing }: Configuration): readonly NodeId[] {
  if (outgoing.length === 0) return voters;
  return [...voters, ...outgoing.filter((voter) => !voters.includes(voter))];
}

export function allMembers(configuration: Configuration): readonly NodeId[] {
  const voters = allVoters(configuration);
  return [...voters, ...configuration.learners.filter((learner) => !voters.includes(learner))];
}

/** The joint configuration on the way from `from` to `to`. */
export function jointOf(
  from: Configuration,
  { voters, learners, witnesses }: Members,
): Configuration {
  const leaving = from.witnesses.filter((witness) => !witnesses.includes(witness));
  return { voters, outgoing: from.voters, learners, witnesses: [...witnesses, ...leaving] };
}

/** Where a joint configuration leads. */
export function finalOf({ voters, learners, witnesses }: Configuration): Configuration {
  return {
    voters,
    outgoing: [],
    learners,
    witnesses: witnesses.filter((witness) => voters.includes(witness)),
  };
}

/** Where a joint configuration came from; learners that were to become voters are learners again. */
export function rolledBack(joint: Configuration): Configuration {
  const { voters, outgoing, learners, witnesses } = joint;
  const promoted = voters.filter(
    (voter) => !outgoing.includes(voter) && !witnesses.includes(voter) && !learners.includes(voter),
  );
  return {
    voters: outgoing,
    outgoing: [],
    learners: [...learners.filter((learner) => !outgoing.includes(learner)), ...promoted],
    witnesses: witnesses.filter((witness) => outgoing.includes(witness)),
  };
}

/** How many voters come or go. */
export function votersChanged(from: Configuration, to: Members): number {
  return (
    from.voters.filter((voter) => !to.voters.includes(voter)).length +
    to.voters.filter((voter) => !from.voters.includes(voter)).length
  );
}

/** Why these can never be the members of a group; undefined when they can. */
export function membersRefusal({ voters, learners, witnesses }: Members): string | undefined {
  if (voters.length === 0) return 'a group without voters';
  const twice = [...voters, ...learners].find((node, at, all) => all.indexOf(node) !== at);
  if (twice !== undefined) return `node ${twice} is named twice`;
  for (const witness of witnesses) {
    if (!voters.includes(witness)) return `witness ${witness} is no voter`;
  }
  if (witnesses.length < majority(voters.length)) return undefined;
  return 'witnesses alone would be a majority: what they agree on could be lost';
}

/**
 * Why `from`, which is not joint, cannot become `to` under any circumstances; undefined when it can.
 * Who has been a witness has no data, and who becomes one gets none: a witness comes in new and leaves
 * for good, and no rollback turns one into a member with holes in its log.
 */
export function changeRefusal(from: Configuration, to: Members): string | undefined {
  const refusal = membersRefusal(to);
  if (refusal !== undefined) return refusal;
  const { voters, learners, witnesses } = to;
  for (const voter of voters) {
    if (witnesses.includes(voter)) {
      if (isMember(from, voter) && !isWitness(from, voter)) {
        return `node ${voter} is a member with data; remove it before it becomes a witness`;
      }
    } else if (isWitness(from, voter)) {
      return `node ${voter} is a witness without data; remove it before it becomes a voter with data`;
    } else if (!isMember(from, voter)) {
      return `node ${voter} is no member; make it a learner first`;
    }
  }
  for (const learner of learners) {
    if (isWitness(from, learner))
      return `node ${learner} is a witness without data; remove it first`;
  }
  if (isSame(from, to)) return 'the members are these already';
  return undefined;
}

/** Whether two configurations, neither of them joint, have the same members. */
export function isSame(from: Configuration, to: Members): boolean {
  const same = (a: readonly NodeId[], b: readonly NodeId[]): boolean =>
    a.length === b.length && a.every((node) => b.includes(node));
  return (
    same(from.voters, to.voters) &&
    same(from.learners, to.learners) &&
    same(from.witnesses, to.witnesses)
  );
}
