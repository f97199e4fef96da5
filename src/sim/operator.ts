/**
 * The operator of a cluster: has leaders hand over and nodes leave, by the functions that operators
 * call, one command after the other through any node that answers.
 */
import { errorCatalogue } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type { ClientOptions, SimulatedClient } from './client.js';
import type { SimulatedProcess } from './process.js';
import { demand, type Outcome, type Script } from './workload.js';
import type { World } from './world.js';

interface Command {
  readonly text: string;
  /** So often it is sent while nobody knows what came of it, or the cluster puts it off. */
  readonly attempts: number;
  readonly done: () => void;
}

const pauseMs = 200;
const patienceMs = 12_000;

export class Operator {
  /** The operator sees every refusal, and waits long. */
  static readonly client: ClientOptions = {
    patienceMs,
    retryMsMax: 0,
    insists: false,
    endures: ['data_corrupted'],
  };
  /** Nodes that shall leave, as far as the cluster has agreed, or have left. */
  readonly leaving = new Set<NodeId>();
  /** Those of whom that was ever wanted. */
  readonly departing = new Set<NodeId>();
  readonly #world: World;
  readonly #client: SimulatedClient;
  readonly #commands: Command[] = [];
  #pausing = false;

  constructor(world: World, client: SimulatedClient) {
    this.#world = world;
    this.#client = client;
  }

  get busy(): boolean {
    return this.#client.busy || this.#commands.length > 0;
  }

  /** Has the leader hand over to whom it likes. */
  transfer(): void {
    this.#give({
      text: 'select shardforge.cluster_transfer()',
      attempts: 1,
      done: () => undefined,
    });
  }

  /** Takes the node out of the cluster, if the cluster agrees. */
  decommission({ node }: SimulatedProcess, attempts: number): void {
    this.departing.add(node);
    this.#give({
      text: `select shardforge.cluster_decommission(${node})`,
      attempts,
      done: () => this.leaving.add(node),
    });
  }

  /** Has a learner vote in the place of `process`, if the cluster agrees. */
  exchange({ node }: SimulatedProcess, learner: NodeId): void {
    this.departing.add(node);
    this.#give({
      text: `select shardforge.cluster_replace('${node}', '${learner}')`,
      attempts: 3,
      done: () => this.leaving.add(node),
    });
  }

  #give(command: Command): void {
    this.#commands.push(command);
    this.#next();
  }

  #next(): void {
    if (this.#client.busy || this.#pausing) return;
    const command = this.#commands.shift();
    if (command === undefined) return;
    this.#client.run(this.#call(command), () => {
      this.#pausing = true;
      this.#world.after(pauseMs, () => {
        this.#pausing = false;
        this.#next();
      });
    });
  }

  *#call(command: Command): Script {
    const outcome: Outcome = yield { text: command.text };
    if (outcome.kind === 'rows') {
      command.done();
      return;
    }
    if (outcome.kind === 'error') {
      const { retry } = errorCatalogue[outcome.error.kind];
      demand(retry !== 'never', 'a command of an operator is carried out or put off', outcome);
    }
    const attempts = command.attempts - 1;
    // First of all, so that commands keep their order.
    if (attempts > 0) this.#commands.unshift({ ...command, attempts });
  }
}
