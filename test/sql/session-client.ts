/** A node's place in this thread, and clients that talk to its sessions as a door does. */
import { Dispatcher, type DispatcherOptions } from '#src/actors/index.js';
import type { PlaceId } from '#src/actors/actor.js';
import { assert, must } from '#src/base/assert.js';
import { errorCatalogue } from '#src/base/errors.js';
import type { NodeId } from '#src/base/ids.js';
import type { Metrics } from '#src/base/metrics.js';
import {
  type ComposedPlace,
  composePlace,
  loneReplica,
  registerKinds,
  Sessions,
  shardPlace,
} from '#src/node/index.js';
import type { ConnectOptions } from '#src/net/index.js';
import { loadParser, type SessionCapabilities, type SessionLimits } from '#src/sql/index.js';
import type {
  Column,
  ErrorFields,
  ParameterValue,
  SessionAnswer,
  SessionMessage,
} from '#src/sql/session/protocol.js';
import { findTimeZone, type FunctionContext, type Row, typeNamed } from '#src/sql/types/index.js';
import { MemoryEngine } from '#src/storage/index.js';

/** A message without its number. */
type Asked = SessionMessage extends infer M
  ? M extends { readonly request: number }
    ? Omit<M, 'request'>
    : never
  : never;

/** One result of a text, as texts. */
export interface Result {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  readonly timeZone: string;
  readonly style: Readonly<Record<string, string>>;
}

export class Client {
  readonly #send: (message: SessionMessage) => void;
  readonly #waiting = new Map<
    number,
    { answers: SessionAnswer[]; done: (all: SessionAnswer[]) => void }
  >();
  /** Messages with rows that a request may send at first; more is granted as they come. */
  credit = 4;
  /** Grants no credit by itself when false. */
  grants = true;
  died: string | undefined;
  /** The error with which the session has ended. */
  fatal: string | undefined;
  /** What was said beside the answers: severity, SQLSTATE, text; details as lines of their own. */
  readonly notices: string[] = [];
  /** Notifications as `channel: payload`, in order; acknowledged as they come unless `acknowledges` is false. */
  readonly heard: string[] = [];
  acknowledges = true;
  /** Settings as the session has reported them. */
  readonly reported: Record<string, string> = {};
  readonly pid: number;
  /** Data for the COPY FROM STDIN to come, one text for each; without one it is told that there are none. */
  readonly copyData: (string | Uint8Array)[] = [];
  #requests = 0;

  constructor(
    place: Sessions,
    settings: Readonly<Record<string, string>>,
    as: Partial<ConnectOptions> = {},
  ) {
    const connection = place.connect(
      { user: 'tester', database: 'shardforge', ...as, settings },
      {
        answer: (answer) => this.#onAnswer(answer),
        died: (reason) => {
          this.died = reason;
        },
      },
    );
    this.pid = connection.session;
    this.#send = (message) => connection.send(message);
  }

  /** The notices since they were last taken. */
  takeNotices(): string[] {
    return this.notices.splice(0);
  }

  /** The number of the last request. */
  get lastRequest(): number {
    return this.#requests;
  }

  send(message: SessionMessage): void {
    this.#send(message);
  }

  ask(message: Asked): Promise<SessionAnswer[]> {
    this.#requests += 1;
    const request = this.#requests;
    return new Promise((resolve) => {
      this.#waiting.set(request, { answers: [], done: resolve });
      this.#send({ ...message, request } as SessionMessage);
    });
  }

  execute(text: string, parameters: readonly ParameterValue[] = []): Promise<SessionAnswer[]> {
    return this.ask({ kind: 'sql.execute', statement: { text }, parameters, credit: this.credit });
  }

  /** The rows of the last result. Fails on an error. */
  async rows(text: string, parameters: readonly ParameterValue[] = []): Promise<readonly Row[]> {
    const answers = await this.execute(text, parameters);
    const failed = failureOf(answers);
    assert(failed === undefined, 'the statement failed', text, failed?.message);
    return resultsOf(answers).at(-1)?.rows ?? [];
  }

  /** SQLSTATE and message of the error; asserts that there is one. */
  async error(text: string, parameters: readonly ParameterValue[] = []): Promise<string> {
    const failed = failureOf(await this.execute(text, parameters));
    return describeError(must(failed, `an error of ${text}`));
  }

  #onAnswer(answer: SessionAnswer): void {
    if (answer.kind === 'sql.settings') {
      Object.assign(this.reported, answer.values);
      return;
    }
    if (answer.kind === 'sql.notice') {
      const { severity, sqlstate, message, details } = answer.notice;
      this.notices.push(`${severity} ${sqlstate} ${message}`);
      for (const line of details.detail?.split('\n') ?? []) this.notices.push(`  ${line}`);
      return;
    }
    if (answer.kind === 'sql.notification') {
      this.heard.push(`${answer.channel}: ${answer.payload}`);
      if (this.acknowledges) this.#send({ kind: 'sql.heard', count: 1 });
      return;
    }
    if (answer.kind === 'sql.failed' && answer.fatal === true) {
      this.fatal = describeError(answer.error);
      if (answer.request === 0) return;
    }
    const waiting = this.#waiting.get(answer.request);
    assert(waiting !== undefined, 'an answer that nobody waits for', answer.kind, answer.request);
    if (answer.kind === 'sql.copyIn') {
      // The first grant is of a whole window; the later ones are for each message taken.
      if (answer.credit > 1) this.#sendCopy(answer.request);
      return;
    }
    waiting.answers.push(answer);
    const isEnd = 'last' in answer ? answer.last : true;
    if (isEnd) {
      this.#waiting.delete(answer.request);
      waiting.done(waiting.answers);
    } else if (answer.kind === 'sql.rows' && this.grants) {
      this.#send({ kind: 'sql.credit', request: answer.request, credit: 1 });
    }
  }

  #sendCopy(request: number): void {
    const data = this.copyData.shift();
    if (data === undefined) {
      this.#send({ kind: 'sql.copyEnd', request, failure: 'the test has no data' });
      return;
    }
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#send({ kind: 'sql.copyData', request, data: bytes });
    this.#send({ kind: 'sql.copyEnd', request });
  }
}

export function failureOf(answers: readonly SessionAnswer[]): ErrorFields | undefined {
  const failed = answers.find((answer) => answer.kind === 'sql.failed');
  return failed?.error;
}

export function describeError({ kind, message }: ErrorFields): string {
  return `${errorCatalogue[kind].sqlstate} ${message}`;
}

/** The tags of the statements of a text. */
export function tagsOf(answers: readonly SessionAnswer[]): string[] {
  return answers.flatMap((answer) =>
    'completion' in answer && answer.completion !== undefined ? [answer.completion.tag] : [],
  );
}

export function resultsOf(answers: readonly SessionAnswer[]): Result[] {
  const results: (Omit<Result, 'rows'> & { readonly rows: Row[] })[] = [];
  for (const answer of answers) {
    if (answer.kind !== 'sql.rows') continue;
    if (answer.columns !== undefined) {
      const { columns, timeZone = 'UTC', style = {} } = answer;
      results.push({ columns, rows: [], timeZone, style });
    }
    must(results.at(-1), 'columns come before rows').rows.push(...answer.rows);
  }
  return results;
}

/** A result's rows as PostgreSQL prints them. */
export function printed({ columns, rows, timeZone, style }: Result): (string | null)[][] {
  const zone = must(findTimeZone(timeZone), 'a zone of the session');
  const setting = (name: string): string | undefined => style[name];
  const context = { timeZone: zone, setting } as unknown as FunctionContext;
  return rows.map((row) =>
    row.map((value, i) => {
      const { type } = must(columns[i], 'a column per value');
      return value === null ? null : typeNamed(type).print(value, context);
    }),
  );
}

export class TestNode {
  readonly dispatcher: Dispatcher;
  readonly metrics: Metrics;
  readonly place: ComposedPlace;
  /** Events that were logged as errors. */
  readonly logged: string[];
  readonly #sessions: Sessions;

  constructor(dispatcher: Dispatcher, metrics: Metrics, place: ComposedPlace, logged: string[]) {
    this.dispatcher = dispatcher;
    this.metrics = metrics;
    this.place = place;
    this.logged = logged;
    this.#sessions = new Sessions(dispatcher, shardPlace);
  }

  static async start(
    limits: Partial<SessionLimits> = {},
    capabilities: SessionCapabilities = {},
  ): Promise<TestNode> {
    await loadParser();
    const logged: string[] = [];
    const dispatcher: Dispatcher = new Dispatcher(hostOf(logged, () => dispatcher));
    dispatcher.addPlace(0 as PlaceId);
    const metrics = registerKinds(dispatcher, limits, capabilities);
    const place = composePlace(dispatcher, shardPlace, {
      engine: new MemoryEngine(),
      node: 1 as NodeId,
      replica: loneReplica({
        node: 1 as NodeId,
        incarnation: 1,
        clusterId: '00000000-0000-4000-8000-000000000001',
      }),
    });
    while (!place.ready()) await new Promise((resolve) => setImmediate(resolve));
    return new TestNode(dispatcher, metrics, place, logged);
  }

  connect(
    settings: Readonly<Record<string, string>> = {},
    as: Partial<ConnectOptions> = {},
  ): Client {
    return new Client(this.#sessions, settings, as);
  }

  /** A session of somebody who has signed in as a role. */
  signIn(role: string, settings: Readonly<Record<string, string>> = {}): Client {
    const signIn = { role, method: 'trust', address: '127.0.0.1:1' };
    return new Client(this.#sessions, settings, { user: role, signIn });
  }

  /** The value of a metric's series, summed. */
  metric(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return [...this.metrics.snapshot(), ...this.place.metrics()]
      .filter((sample) => sample.name === name)
      .filter((sample) => Object.entries(labels).every(([k, v]) => sample.labels[k] === v))
      .reduce((sum, sample) => sum + sample.value, 0);
  }
}

function hostOf(logged: string[], dispatcher: () => Dispatcher): DispatcherOptions {
  let isWanted = false;
  return {
    node: 1 as NodeId,
    seed: 1,
    clock: { nowMs: () => performance.now(), wallMs: () => Date.now() },
    schedule: {
      soon: () => {
        if (isWanted) return;
        isWanted = true;
        setImmediate(() => {
          isWanted = false;
          dispatcher().drain();
        });
      },
      at: (dueMs) => {
        setTimeout(() => dispatcher().drain(), Math.max(0, dueMs - performance.now())).unref();
      },
    },
    log: (level, event) => {
      if (level === 'error') logged.push(event);
    },
    fatal: (error) => {
      throw error;
    },
  };
}
