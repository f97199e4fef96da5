/** Plays the stories of a script with a server. */
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '#src/base/assert.js';
import { RawClient, type Shown, startup } from './raw.js';
import { matches, type Step, type Story } from './script.js';
import { decode, encode } from './spoken.js';

export interface Server {
  readonly address: string;
  readonly name: 'ours' | 'postgres';
}

/** What was expected, what came; empty when all is as written. */
export interface Difference {
  readonly line: number;
  readonly expected: string;
  readonly came: string;
}

const patienceMs = 20_000;
/** Nothing follows the last answer of a block: long enough to see it while a script is recorded. */
const quietMs = 250;

/** A connection of a story. */
class Speaker {
  readonly client: RawClient;
  key: Buffer | undefined;
  /** An answer that was waited for in vain comes later. */
  #next: Promise<Shown | undefined> | undefined;

  constructor(address: string) {
    this.client = new RawClient(address);
  }

  async next(timeoutMs: number): Promise<string | undefined> {
    const timeout = new AbortController();
    const late = sleep(timeoutMs, 'late' as const, { signal: timeout.signal }).catch(
      () => 'late' as const,
    );
    this.#next ??= this.client.next();
    const shown = await Promise.race([this.#next, late]);
    timeout.abort();
    if (shown === 'late') return undefined;
    this.#next = undefined;
    if (shown === undefined) return 'closed';
    if (shown.code === 'K') this.key = shown.body;
    return decode(shown);
  }

  /** One byte without a message around it: the answer to a request for encryption. */
  async byte(): Promise<string> {
    const bytes = await this.client.bytes(1);
    return bytes === undefined ? 'closed' : `byte ${bytes.toString('latin1')}`;
  }
}

/** A story with one server. */
class Stage {
  readonly #server: Server;
  readonly #speakers = new Map<string, Speaker>();
  #speaker: Speaker | undefined;

  constructor(server: Server) {
    this.#server = server;
  }

  get keys(): ReadonlyMap<string, Buffer> {
    const keyed = [...this.#speakers].filter(([, { key }]) => key !== undefined);
    return new Map(keyed.map(([name, { key }]) => [name, key as Buffer]));
  }

  /** The connection that speaks from here on; a name with `raw` before it sends its own start-up. */
  async turnTo(name: string): Promise<void> {
    const known = this.#speakers.get(name);
    const speaker = known ?? new Speaker(this.#server.address);
    this.#speakers.set(name, speaker);
    this.#speaker = speaker;
    if (known !== undefined || name.startsWith('raw')) return;
    speaker.client.send(startup(0x0003_0000, { user: 'admin', database: 'shardforge' }));
    for (;;) {
      const answer = must(await speaker.next(patienceMs), 'the start-up is answered');
      if (answer === 'closed' || answer.startsWith('ErrorResponse')) throw new Error(answer);
      if (answer.startsWith('ReadyForQuery')) return;
    }
  }

  get speaker(): Speaker {
    return must(this.#speaker, 'a connection');
  }

  close(): void {
    for (const { client } of this.#speakers.values()) client.close();
  }
}

const isOf = (step: Step, server: Server): boolean =>
  step.kind !== 'answer' || step.from === 'both' || step.from === server.name;

/** Plays one story; gives the first difference. */
export async function play(story: Story, server: Server): Promise<Difference | undefined> {
  const stage = new Stage(server);
  try {
    await stage.turnTo(story.steps[0]?.kind === 'connection' ? story.steps[0].name : 'a');
    let sends: Buffer[] = [];
    const flush = (): void => {
      if (sends.length > 0) stage.speaker.client.send(...sends);
      sends = [];
    };
    let last = '';
    for (const step of story.steps.filter((one) => isOf(one, server))) {
      if (step.kind === 'send') {
        sends.push(encode(step.text, stage.keys));
        continue;
      }
      flush();
      if (step.kind === 'wait') await sleep(step.milliseconds);
      if (step.kind === 'connection') await stage.turnTo(step.name);
      if (step.kind !== 'answer') continue;
      const { text: expected, line } = step;
      const came = expected.startsWith('byte ')
        ? await stage.speaker.byte()
        : ((await stage.speaker.next(patienceMs)) ?? 'nothing');
      if (!matches(expected, came)) return { line, expected, came };
      last = came;
    }
    if (last === 'closed') return undefined;
    sends.push(encode('Terminate', stage.keys));
    flush();
    const came = (await stage.speaker.next(patienceMs)) ?? 'nothing';
    const line = story.steps.at(-1)?.line ?? story.line;
    return came === 'closed' ? undefined : { line, expected: 'closed', came };
  } finally {
    stage.close();
  }
}

/** The story as a server answers it: its text with the answers that come. */
export async function record(story: Story, server: Server): Promise<readonly string[]> {
  const stage = new Stage(server);
  const lines = [`story ${story.name}`];
  let sends: Buffer[] = [];
  const hear = async (): Promise<void> => {
    if (sends.length === 0) return;
    stage.speaker.client.send(...sends);
    sends = [];
    for (;;) {
      const answer = await stage.speaker.next(quietMs);
      if (answer === undefined) return;
      lines.push(`expect ${answer}`);
      if (answer === 'closed') return;
    }
  };
  try {
    const steps = story.steps.filter(({ kind }) => kind !== 'answer');
    if (steps[0]?.kind !== 'connection') await stage.turnTo('a');
    for (const [i, step] of story.steps.entries()) {
      if (step.kind === 'answer') {
        // An answer that is written down marks where the client waits.
        if (step.text.startsWith('byte ')) {
          stage.speaker.client.send(...sends);
          sends = [];
          lines.push(`expect ${await stage.speaker.byte()}`);
        } else if (story.steps[i - 1]?.kind !== 'answer') await hear();
        continue;
      }
      if (step.kind === 'wait') {
        stage.speaker.client.send(...sends);
        sends = [];
        lines.push(`wait ${step.milliseconds}`);
        await sleep(step.milliseconds);
        continue;
      }
      if (step.kind === 'connection') {
        await hear();
        lines.push(`connection ${step.name}`);
        await stage.turnTo(step.name);
        continue;
      }
      lines.push(`send ${step.text}`);
      sends.push(encode(step.text, stage.keys));
    }
    await hear();
    return lines;
  } finally {
    stage.close();
  }
}
