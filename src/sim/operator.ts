/**
 * The operator of a cluster: has leaders hand over, nodes join, leave and be replaced, by the functions
 * that operators call, one command after the other through any node that answers.
 */
import { errorCatalogue } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type { SimulatedClient } from './client.js';
import type { SimulatedProcess } from './process.js';
import { demand, type Script } from './workload.js';
import type { World } from './world.js';

/** What a command is sent again for, at most; then the operator gives it up. */
const attemptsMax = 40;
const pauseMs = 100;

export class Operator {
  /** Nodes that shall leave or have left. */
  readonly leaving = new Set<NodeId>();
  readonly #world: World;
  readonly #client: SimulatedClient;
  readonly #commands: Script[] = [];

  constructor(world: World, client: SimulatedClient) {
    this.#world = world;
    this.#client = client;
  }

  get busy(): boolean {
    return this.#client.busy || this.#commands.length > 0;
  }

  /** Has the leader hand over to whom it likes. */
  transfer(): void {
    this.#give(this.#call('cluster_transfer', '', 1, () => undefined));
  }

  /** Takes the node out of the cluster, if the cluster agrees. */
  decommission({ node }: SimulatedProcess): void {
    const call = this.#call('cluster_decommission', String(node), attemptsMax, () => {
      this.leaving.add(node);
    });
    this.#give(call);
  }

  #give(command: Script): void {
    this.#commands.push(command);
    this.#next();
  }

  #next(): void {
    if (this.#client.busy) return;
    const command = this.#commands.shift();
    if (command === undefined) return;
    this.#client.run(command, () => this.#world.after(pauseMs, () => this.#next()));
  }

  /** Sends a command again while nobody knows what came of it: carrying it out twice does no harm. */
  *#call(name: string, argument: string, attempts: number, done: () => void): Script {
    for (let left = attempts; left > 0; left -= 1) {
      const outcome = yield { text: `select shardforge.${name}(${argument})` };
      if (outcome.kind === 'rows') {
        done();
        return;
      }
      if (outcome.kind === 'error') {
        const { retry } = errorCatalogue[outcome.error.kind];
        demand(retry !== 'never', 'a command of an operator is carried out or put off', outcome);
      }
    }
  }
}
