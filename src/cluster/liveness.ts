/** Which nodes live, by their beats, and who hears whom: one beat per pair of processes, for all groups. */
import type { NodeId } from '../base/ids.js';

interface Heard {
  /** When its last beat came. */
  atMs: number;
  alive: boolean;
  /** Whose beats it hears, by its own word. */
  hears: readonly NodeId[];
}

export class Liveness {
  readonly #heard = new Map<NodeId, Heard>();

  /** A beat of the node. True when it had been down or is new. */
  onBeat(node: NodeId, hears: readonly NodeId[], nowMs: number): boolean {
    const known = this.#heard.get(node);
    this.#heard.set(node, { atMs: nowMs, alive: true, hears });
    return known?.alive !== true;
  }

  /** The link is gone. True when the node had been alive. */
  onLost(node: NodeId): boolean {
    const heard = this.#heard.get(node);
    if (heard?.alive !== true) return false;
    heard.alive = false;
    return true;
  }

  /** Those that were alive and have been silent for `silentMs`: they are down from now on. */
  check(nowMs: number, silentMs: number): readonly NodeId[] {
    const down: NodeId[] = [];
    for (const [node, heard] of this.#heard) {
      if (!heard.alive || nowMs - heard.atMs < silentMs) continue;
      heard.alive = false;
      down.push(node);
    }
    return down;
  }

  /** This process itself was asleep: nobody is blamed for its silence. */
  forgive(nowMs: number): void {
    for (const heard of this.#heard.values()) if (heard.alive) heard.atMs = nowMs;
  }

  isAlive(node: NodeId): boolean {
    return this.#heard.get(node)?.alive === true;
  }

  /** Those whose beats are heard now. */
  get alive(): readonly NodeId[] {
    return [...this.#heard].filter(([, heard]) => heard.alive).map(([node]) => node);
  }

  /** Whose beats `node` said to hear in its last beat; empty when it is down. */
  hearsOf(node: NodeId): readonly NodeId[] {
    const heard = this.#heard.get(node);
    return heard?.alive === true ? heard.hears : [];
  }
}

/**
 * How the voters reach each other, as one of them sees it. `whole`: all that live hear each other;
 * `partial`: some link is cut or works in one direction only, and a majority is in reach; `minority`:
 * a majority is out of reach.
 */
export type Partition = 'whole' | 'partial' | 'minority';

export function partitionOf(
  self: NodeId,
  voters: readonly NodeId[],
  liveness: Pick<Liveness, 'alive' | 'hearsOf'>,
): Partition {
  const alive = new Set<NodeId>([self, ...liveness.alive]);
  const reached = voters.filter((voter) => alive.has(voter));
  if (reached.length * 2 <= voters.length) return 'minority';
  const cut = reached.some((one) => {
    if (one === self) return false;
    const hears = liveness.hearsOf(one);
    return reached.some((other) => other !== one && !hears.includes(other));
  });
  // A voter that is silent here but heard by others is cut off from this node only.
  const missed = voters.some(
    (voter) =>
      !alive.has(voter) && liveness.alive.some((node) => liveness.hearsOf(node).includes(voter)),
  );
  return cut || missed ? 'partial' : 'whole';
}
