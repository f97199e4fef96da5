/** One run from one seed: of a lone node, or of a cluster. */
import { Random } from '../base/random.js';
import { ClusterRun } from './cluster-run.js';
import { LoneRun } from './lone.js';
import {
  type ClusterOptions,
  type ClusterWishes,
  drawClusterOptions,
  drawLoneOptions,
  type LoneOptions,
  type Plant,
} from './options.js';

export interface RunRequest {
  readonly seed: number;
  readonly plant?: Plant;
  /** Sees every line of the trace. */
  readonly print?: (line: string) => void;
}

/** What a run has done. */
export interface Figures {
  readonly statements: number;
  readonly crashes: number;
  /** Crashes included. */
  readonly faults: number;
  /** Messages between nodes. */
  readonly messages: number;
  readonly virtualMs: number;
  /** Equal for equal traces. */
  readonly trace: string;
  /** How often each rare situation was reached. */
  readonly probes: ReadonlyMap<string, number>;
}

export interface RunResult extends Figures {
  readonly options: LoneOptions | ClusterOptions;
  /** The promise that was broken; undefined when all were kept. */
  readonly violation: string | undefined;
}

export interface Simulation {
  /** Runs to the end; throws when a promise is broken. */
  run(): void;
  figures(): Figures;
}

/** A lone node, killed at random turns. */
export function runLone({ seed, plant, print }: RunRequest): RunResult {
  const random = new Random(seed);
  const options = drawLoneOptions(seed, random.split(), plant);
  return { options, ...perform(new LoneRun(options, random, print)) };
}

/** A cluster under faults. */
export function runCluster({ seed, plant, print }: RunRequest, wishes: ClusterWishes): RunResult {
  const random = new Random(seed);
  const options = drawClusterOptions(seed, random.split(), plant, wishes);
  return { options, ...perform(new ClusterRun(options, random, print)) };
}

function perform(simulation: Simulation): Figures & Pick<RunResult, 'violation'> {
  let violation: string | undefined;
  try {
    simulation.run();
  } catch (error) {
    violation = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  return { ...simulation.figures(), violation };
}
