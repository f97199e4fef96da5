/**
 * How long writes stand still when the leader dies or hands over, in a cluster without other faults:
 * virtual time, with the protocol's own times.
 */
import { must } from '../base/assert.js';
import { Random } from '../base/random.js';
import { SimulatedCluster, untilKnown } from './cluster.js';
import { type ClusterOptions, drawCalmOptions } from './options.js';
import { all, demand, rowsOf, type Script } from './workload.js';

export interface Failover {
  /** From each death of a leader to the first write that is acknowledged after it, milliseconds. */
  readonly pausesMs: readonly number[];
}

const formMsMax = 20_000;
const pauseMsMax = 20_000;
const clients = 6;

/** `deaths` leaders die one after the other in a cluster of three drawn from the seed. */
export function measureFailover(
  seed: number,
  deaths: number,
  print?: (line: string) => void,
): Failover {
  const random = new Random(seed);
  const options = drawCalmOptions(seed, random.split());
  const run = new FailoverRun(options, random, print);
  return { pausesMs: run.run(deaths) };
}

class FailoverRun {
  readonly #cluster: SimulatedCluster;
  readonly #random: Random;
  #acknowledged = 0;

  constructor(options: ClusterOptions, random: Random, print?: (line: string) => void) {
    this.#random = random.split();
    this.#cluster = new SimulatedCluster(options, random.split(), print, () => undefined);
  }

  run(deaths: number): readonly number[] {
    const cluster = this.#cluster;
    cluster.start();
    const checker = cluster.addClient('checker');
    const table = all([
      'create table if not exists written (client int, n int, primary key (client, n))',
    ]);
    cluster.runScript(checker, untilKnown(table), formMsMax, 'a cluster forms');
    for (let at = 0; at < clients; at += 1) {
      const client = cluster.addClient(`client-${at}`);
      client.run(this.#write(at), () => undefined);
    }
    return Array.from({ length: deaths }, () => this.#kill());
  }

  #kill(): number {
    const cluster = this.#cluster;
    cluster.runFor(this.#random.between(500, 1500));
    const settled = (): boolean => cluster.leader !== undefined;
    cluster.until(settled, pauseMsMax, 'somebody leads');
    const leader = must(cluster.leader, 'the leader');
    leader.crash();
    const diedMs = cluster.world.nowMs;
    const before = this.#acknowledged;
    const again = (): boolean => this.#acknowledged > before;
    cluster.until(again, pauseMsMax, 'writes go on after the leader died');
    const pauseMs = cluster.world.nowMs - diedMs;
    leader.start();
    return pauseMs;
  }

  *#write(client: number): Script {
    for (let n = 1; ; n += 1) {
      const text = 'insert into written values ($1, $2)';
      const outcome = yield { text, parameters: [client, n] };
      demand(outcome.kind !== 'error', 'no write fails', outcome);
      if (rowsOf(outcome, text) !== undefined) this.#acknowledged += 1;
    }
  }
}
