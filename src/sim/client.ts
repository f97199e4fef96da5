/**
 * A client of the simulated node: runs scripts one statement at a time over a session of its own,
 * learns nothing of a crash but that its connection broke, and connects again.
 */
import { assert, must, unreachable } from '../base/assert.js';
import type { SessionAnswer } from '../sql/session/protocol.js';
import type { Row } from '../sql/types/value.js';
import type { SimulatedProcess, Connection } from './process.js';
import { type Outcome, type Request, type Script, show } from './workload.js';
import type { World } from './world.js';

interface Running {
  readonly script: Script;
  readonly ended: () => void;
}

export class SimulatedClient {
  readonly name: string;
  /** Statements that were answered. */
  statements = 0;
  readonly #world: World;
  readonly #process: SimulatedProcess;
  #connection: Connection | undefined;
  #running: Running | undefined;
  #waiting: Request | undefined;
  #inFlight: number | undefined;
  #rows: Row[] = [];
  #requests = 0;

  constructor(name: string, world: World, process: SimulatedProcess) {
    this.name = name;
    this.#world = world;
    this.#process = process;
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** Runs a script to its end, then calls `ended`. */
  run(script: Script, ended: () => void): void {
    assert(this.#running === undefined, 'a client runs one script at a time', this.name);
    this.#running = { script, ended };
    this.#resume(undefined);
  }

  /** The node answers statements again. */
  onNodeUp(): void {
    if (this.#waiting === undefined) return;
    const request = this.#waiting;
    this.#waiting = undefined;
    this.#send(request);
  }

  /** The node died: the connection is gone and with it the answer to what was in flight. */
  onNodeDown(): void {
    this.#connection = undefined;
    if (this.#inFlight === undefined) return;
    this.#inFlight = undefined;
    this.#resume({ kind: 'unknown' });
  }

  #send(request: Request): void {
    if (!this.#process.up) {
      this.#waiting = request;
      return;
    }
    this.#connection ??= this.#process.connect(this.name, (answer) => this.#onAnswer(answer));
    this.#requests += 1;
    this.#inFlight = this.#requests;
    this.#rows = [];
    this.#world.trace(this.name, 'sends', shorten(request));
    this.#connection.post({
      kind: 'sql.execute',
      request: this.#requests,
      statement: { text: request.text },
      parameters: request.parameters ?? [],
      credit: 4,
    });
  }

  #onAnswer(answer: SessionAnswer): void {
    if (answer.request !== this.#inFlight) return;
    const outcome = this.#read(answer);
    if (outcome === undefined) return;
    this.#inFlight = undefined;
    this.statements += 1;
    this.#world.trace(this.name, outcome.kind, describe(outcome));
    this.#resume(outcome);
  }

  /** The outcome, once `answer` is the last of its request. */
  #read(answer: SessionAnswer): Outcome | undefined {
    switch (answer.kind) {
      case 'sql.rows': {
        this.#rows.push(...answer.rows);
        if (!answer.last) {
          const connection = must(this.#connection, 'answered without a connection');
          connection.post({ kind: 'sql.credit', request: answer.request, credit: 1 });
          return undefined;
        }
        return { kind: 'rows', rows: this.#rows, tag: answer.completion?.tag ?? '' };
      }
      case 'sql.complete':
        if (!answer.last) return undefined;
        return { kind: 'rows', rows: this.#rows, tag: answer.completion.tag };
      case 'sql.failed':
        return { kind: 'error', error: answer.error };
      case 'sql.prepared':
      case 'sql.closed':
        return undefined;
      default:
        return unreachable(answer);
    }
  }

  #resume(outcome: Outcome | undefined): void {
    const running = must(this.#running, 'resumed without a script');
    const next = outcome === undefined ? running.script.next() : running.script.next(outcome);
    if (next.done === true) {
      this.#running = undefined;
      running.ended();
      return;
    }
    this.#send(next.value);
  }
}

function shorten(request: Request): string {
  const parameters = request.parameters === undefined ? '' : ` ${show(request.parameters)}`;
  return `${request.text}${parameters}`.slice(0, 160);
}

function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'rows':
      return `${outcome.tag} ${outcome.rows.length} rows ${checksum(outcome.rows)}`;
    case 'error':
      return `${outcome.error.kind} ${outcome.error.message}`;
    case 'unknown':
      return '';
    default:
      return unreachable(outcome);
  }
}

/** Enough of the values to make two different answers differ in the trace. */
function checksum(rows: readonly Row[]): string {
  let hash = 17;
  for (const character of show(rows)) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  return (hash >>> 0).toString(16);
}
