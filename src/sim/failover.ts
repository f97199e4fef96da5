/**
 * How long writes stand still when the leader dies or hands over, in a cluster without other faults:
 * virtual time, with the protocol's own times.
 */
import { must } from '../base/assert.js';
import { Random } from '../base/random.js';
import type { SimulatedClient } from './client.js';
import { SimulatedCluster, untilKnown } from './cluster.js';
import { drawCalmOptions } from './options.js';
import { all, demand, type Script } from './workload.js';

const serveMsMax = 20_000;
const writers = 6;
/** After a command to hand over, pauses are looked for during so long. */
const watchMs = 400;

export class Failover {
  readonly #cluster: SimulatedCluster;
  readonly #random: Random;
  readonly #operator: SimulatedClient;
  /** When the last write was acknowledged, and the longest pause since it was last asked for. */
  #writtenMs = 0;
  #pauseMs = 0;
  #acknowledged = 0;
  /** Writes whose outcome is unknown. */
  lost = 0;

  /** A cluster of three under writes. */
  constructor(seed: number, print?: (line: string) => void) {
    const random = new Random(seed);
    const options = drawCalmOptions(seed, random.split());
    this.#random = random.split();
    this.#cluster = new SimulatedCluster(options, random.split(), print, () => undefined);
    this.#operator = this.#cluster.addClient('operator');
    this.#cluster.start();
    this.#run(
      untilKnown(all(['create table written (client int, n int, primary key (client, n))'])),
      'a cluster forms',
    );
    for (let at = 0; at < writers; at += 1) {
      this.#cluster.addClient(`client-${at}`).run(this.#write(at), () => undefined);
    }
  }

  /** The leader dies; milliseconds until the next write is acknowledged. */
  kill(): number {
    const cluster = this.#cluster;
    const leader = this.#awaitLeader();
    leader.crash();
    const diedMs = cluster.world.nowMs;
    const before = this.#acknowledged;
    const again = (): boolean => this.#acknowledged > before;
    cluster.until(again, serveMsMax, 'writes go on after the leader died');
    leader.start();
    return cluster.world.nowMs - diedMs;
  }

  /** The leader hands over; milliseconds of the longest pause between two acknowledged writes. */
  transfer(): number {
    const { node } = this.#awaitLeader();
    this.#pauseMs = 0;
    this.#run(
      all(['select shardforge.cluster_transfer()']),
      'a leader hands over when its operator wants it',
    );
    this.#cluster.runFor(watchMs);
    demand(this.#awaitLeader().node !== node, 'another leads after the leader handed over', node);
    return this.#pauseMs;
  }

  #awaitLeader() {
    const cluster = this.#cluster;
    cluster.runFor(this.#random.between(500, 1500));
    cluster.until(() => cluster.leader !== undefined, serveMsMax, 'somebody leads');
    return must(cluster.leader, 'the leader');
  }

  #run(script: Script, promise: string): void {
    this.#cluster.runScript(this.#operator, script, serveMsMax, promise);
  }

  *#write(client: number): Script {
    for (let n = 1; ; n += 1) {
      const text = 'insert into written values ($1, $2)';
      const outcome = yield { text, parameters: [client, n] };
      demand(outcome.kind !== 'error', 'no write fails', outcome);
      if (outcome.kind !== 'rows') {
        this.lost += 1;
        continue;
      }
      const { nowMs } = this.#cluster.world;
      this.#pauseMs = Math.max(this.#pauseMs, nowMs - this.#writtenMs);
      this.#writtenMs = nowMs;
      this.#acknowledged += 1;
    }
  }
}
