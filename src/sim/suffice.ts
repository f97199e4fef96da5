/** How many voters may lose their data: what a group bears, by the rules of Raft and of witnesses. */
import type { NodeId } from '../base/ids.js';

export interface Losses {
  /** Those whose data are lost. */
  readonly lost: ReadonlySet<NodeId>;
  /** Those that are to leave, of whom any may have left already. */
  readonly leaving: ReadonlySet<NodeId>;
  isWitness(node: NodeId): boolean;
}

/** Whether most of these voters keep their data, whichever of those that leave are gone already. */
export function suffice(voters: readonly NodeId[], losses: Losses): boolean {
  if (!keepData(voters, losses)) return false;
  // Each set of those that are gone once: who leaves next has a higher place.
  const withoutMore = (list: readonly NodeId[], from: number): boolean =>
    list.every((node, at) => {
      if (at < from || !losses.leaving.has(node)) return true;
      const rest = list.filter((other) => other !== node);
      return keepData(rest, losses) && withoutMore(rest, at);
    });
  return withoutMore(voters, 0);
}

function keepData(voters: readonly NodeId[], { lost, isWitness }: Losses): boolean {
  const majority = Math.floor(voters.length / 2) + 1;
  const intact = voters.filter((node) => !lost.has(node));
  // Of a majority that has an entry the witnesses have no data.
  const copies = majority - voters.filter(isWitness).length;
  const gone = voters.filter((node) => lost.has(node) && !isWitness(node)).length;
  return intact.length >= majority && (gone === 0 || gone < copies);
}
