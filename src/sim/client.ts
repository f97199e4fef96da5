/**
 * A client of the simulated nodes: runs scripts one statement at a time over a session of its own. It
 * learns nothing of a crash but that its connection broke, and connects to another node when its own
 * dies, does not answer, or says that it cannot serve now.
 */
import { assert, must, unreachable } from '../base/assert.js';
import { type ErrorName, errorCatalogue, type Retry } from '../base/errors.js';
import type { NodeId } from '../base/ids.js';
import type { Random } from '../base/random.js';
import type { Completion, SessionAnswer, TransactionStatus } from '../sql/session/protocol.js';
import type { Row } from '../sql/types/value.js';
import type { Connection, SimulatedProcess } from './process.js';
import { type Outcome, type Request, type Script, show } from './workload.js';
import type { Cancel, World } from './world.js';

export interface ClientOptions {
  /** After so long without an answer the client gives up the connection; undefined: it waits for ever. */
  readonly patienceMs: number | undefined;
  /** Pause before a statement that was refused for now is sent to another node, at most. */
  readonly retryMsMax: number;
  /** Sends what was refused for now again by itself; otherwise the script is told. */
  readonly insists: boolean;
  /** Errors that say nothing of the statement: a value rots, and is mended when that is noticed. */
  readonly endures: readonly ErrorName[];
}

interface Running {
  readonly script: Script;
  readonly ended: () => void;
}

export class SimulatedClient {
  readonly name: string;
  /** Statements that were answered. */
  statements = 0;
  readonly #world: World;
  readonly #random: Random;
  readonly #options: ClientOptions;
  #nodes: readonly SimulatedProcess[];
  #process: SimulatedProcess | undefined;
  #connection: Connection | undefined;
  #running: Running | undefined;
  /** What is to be sent as soon as a node is there. */
  #waiting: Request | undefined;
  #inFlight: Request | undefined;
  #request = 0;
  #rows: Row[] = [];
  #heard: string[] = [];
  #status: TransactionStatus = 'idle';
  #cancelPatience: Cancel = () => undefined;

  constructor(
    name: string,
    world: World,
    random: Random,
    nodes: readonly SimulatedProcess[],
    options: ClientOptions,
  ) {
    this.name = name;
    this.#world = world;
    this.#random = random;
    this.#nodes = nodes;
    this.#options = options;
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

  /** Connects to these nodes only from now on. */
  useOnly(nodes: readonly SimulatedProcess[]): void {
    assert(!this.busy, 'a client changes nodes between scripts', this.name);
    this.#nodes = nodes;
    this.#leave();
  }

  /** A node answers statements again. */
  onNodeUp(): void {
    if (this.#waiting === undefined) return;
    const request = this.#waiting;
    this.#waiting = undefined;
    this.#send(request);
  }

  /** A node died: the connection is gone and with it the answer to what was in flight. */
  onNodeDown(node: NodeId): void {
    if (this.#process?.node !== node) return;
    this.#connection = undefined;
    this.#lose();
  }

  #send(request: Request): void {
    if (request.sameSession === true && this.#connection === undefined) {
      this.#resume({ kind: 'refused' });
      return;
    }
    if (this.#connection === undefined && !this.#connect()) {
      this.#waiting = request;
      return;
    }
    const connection = must(this.#connection, 'connected just now');
    this.#request += 1;
    this.#inFlight = request;
    this.#rows = [];
    this.#world.trace(this.name, 'sends', shorten(request));
    const { patienceMs } = this.#options;
    if (patienceMs !== undefined) {
      this.#cancelPatience = this.#world.after(patienceMs, () => {
        this.#world.trace(this.name, 'gives up', must(this.#process, 'connected').name);
        this.#leave();
        this.#lose();
      });
    }
    connection.post({
      kind: 'sql.execute',
      request: this.#request,
      statement: { text: request.text },
      parameters: request.parameters ?? [],
      credit: 4,
    });
  }

  #connect(): boolean {
    const up = this.#nodes.filter((node) => node.up);
    const others = up.filter((node) => node !== this.#process);
    const choice = others.length > 0 ? others : up;
    if (choice.length === 0) return false;
    const process = this.#random.pick(choice);
    this.#process = process;
    this.#status = 'idle';
    this.#heard = [];
    this.#connection = process.connect(this.name, (answer) => this.#onAnswer(answer));
    return true;
  }

  /** Ends the connection, whatever is in flight on it. */
  #leave(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** The connection is gone. */
  #lose(): void {
    this.#cancelPatience();
    if (this.#inFlight === undefined) return;
    this.#inFlight = undefined;
    this.#resume({ kind: 'unknown' });
  }

  #onAnswer(answer: SessionAnswer): void {
    if (answer.kind === 'sql.notification') {
      this.#world.trace(this.name, 'hears', answer.payload);
      this.#heard.push(answer.payload);
      this.#connection?.post({ kind: 'sql.heard', count: 1 });
      return;
    }
    // The session has ended, whatever it served.
    if (answer.kind === 'sql.failed' && answer.fatal === true) this.#leave();
    if (this.#inFlight === undefined || answer.request !== this.#request) return;
    const wasOpen = this.#status !== 'idle';
    const outcome = this.#read(answer);
    if (outcome === undefined) return;
    const request = this.#inFlight;
    this.#inFlight = undefined;
    this.#cancelPatience();
    this.#world.trace(this.name, outcome.kind, describe(outcome));
    const retry = this.#retryOf(outcome);
    const { insists, patienceMs } = this.#options;
    const leaves = patienceMs !== undefined && (retry === 'later' || retry === 'unknown');
    if (leaves) this.#leave();
    if (!leaves || !insists) {
      this.statements += 1;
      this.#resume(outcome);
    } else if (retry === 'unknown') this.#resume({ kind: 'unknown' });
    else if (wasOpen) this.#resume({ kind: 'refused' });
    else {
      const pauseMs = this.#random.fraction() * this.#options.retryMsMax;
      this.#world.after(pauseMs, () => this.#send(request));
    }
  }

  #retryOf(outcome: Outcome): Retry {
    if (outcome.kind !== 'error') return 'never';
    const { kind } = outcome.error;
    return this.#options.endures.includes(kind) ? 'unknown' : errorCatalogue[kind].retry;
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
        return this.#completed(must(answer.completion, 'the last rows come with an end'));
      }
      case 'sql.complete':
        if (!answer.last) return undefined;
        return this.#completed(answer.completion);
      case 'sql.failed':
        this.#status = answer.status;
        return { kind: 'error', error: answer.error };
      case 'sql.prepared':
      case 'sql.notice':
      case 'sql.settings':
      case 'sql.notification':
      case 'sql.parked':
      case 'sql.closed':
      case 'sql.copyIn':
        return undefined;
      default:
        return unreachable(answer);
    }
  }

  #completed({ tag, status, stale }: Completion): Outcome {
    this.#status = status;
    const heard = this.#heard;
    this.#heard = [];
    return { kind: 'rows', rows: this.#rows, tag, stale: stale === true, heard };
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
      return `${outcome.tag} ${outcome.rows.length} rows ${checksum(outcome.rows)}${outcome.stale ? ' stale' : ''}`;
    case 'error':
      return `${outcome.error.kind} ${outcome.error.message}`;
    case 'unknown':
    case 'refused':
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
