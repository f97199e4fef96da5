/** `shardforge sql`: statements from the command line, a file, a pipe or a person. */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Database, Session } from '../client/index.js';
import { describeTable } from './describe.js';
import { type Format, formatResult } from './format.js';
import { historyLinesMax } from './limits.js';
import { describeError, exitCodeFor, UsageError } from './report.js';
import { cutStatements } from './statements.js';

/** Where a shell reads and writes. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly output: Writable & { readonly isTTY?: boolean };
  readonly errors: Writable;
}

const help = `\\q          leave (or Ctrl-D)
\\?          this text
\\d NAME     the columns of a table
\\x          rows one below the other, or as a table again
\\timing     how long each statement took, or no longer
A statement ends with ; and may go over several lines. Ctrl-C ends the statement that runs.
`;

export class Shell {
  readonly #database: Database;
  readonly #terminal: Terminal;
  #format: Format;
  #session: Session | undefined;
  #timing = false;
  #running: AbortController | undefined;

  constructor(database: Database, terminal: Terminal, format: Format) {
    this.#database = database;
    this.#terminal = terminal;
    this.#format = format;
  }

  /** Runs a text until a statement fails; gives the exit code. */
  async runText(text: string): Promise<number> {
    const { statements, rest } = cutStatements(text);
    for (const statement of rest === '' ? statements : [...statements, rest.trim()]) {
      const code = await this.#run(statement);
      if (code !== 0) return code;
    }
    return 0;
  }

  /** Runs statements as they come, until one fails. */
  async runStream(): Promise<number> {
    let rest = '';
    this.#terminal.input.setEncoding('utf8');
    for await (const chunk of this.#terminal.input) {
      const cut = cutStatements(rest + String(chunk));
      rest = cut.rest;
      for (const statement of cut.statements) {
        const code = await this.#run(statement);
        if (code !== 0) return code;
      }
    }
    return rest === '' ? 0 : await this.#run(rest.trim());
  }

  /** Talks with a person until they leave. */
  async talk(): Promise<number> {
    const { input, output } = this.#terminal;
    const history = historyFile();
    const lines = createInterface({
      input,
      output,
      terminal: input.isTTY === true,
      historySize: historyLinesMax,
      history: readHistory(history),
      removeHistoryDuplicates: true,
    });
    lines.on('history', (entries: string[]) => writeHistory(history, entries));
    this.#print(`ShardForge ${this.#database.version}. \\? for help, \\q to leave.\n`);
    await this.#ready();
    await new Promise<void>((resolve) => this.#listen(lines, resolve));
    this.#session?.release();
    return 0;
  }

  #listen(lines: Interface, onEnd: () => void): void {
    let gathered = '';
    let work = Promise.resolve();
    let left = false;
    const ask = (): void => {
      if (left) return;
      lines.setPrompt(this.#prompt(gathered !== ''));
      lines.prompt();
    };
    const take = async (line: string): Promise<void> => {
      if (gathered === '' && line.trimStart().startsWith('\\')) {
        if (!(await this.#command(line.trim()))) lines.close();
        return;
      }
      const cut = cutStatements(`${gathered}${line}\n`);
      gathered = cut.rest;
      for (const statement of cut.statements) await this.#run(statement);
    };
    lines.on('line', (line) => {
      work = work.then(() => take(line)).then(ask, (error: unknown) => this.#complain(error));
    });
    lines.on('SIGINT', () => {
      if (this.#running !== undefined) {
        this.#running.abort();
        return;
      }
      gathered = '';
      lines.write(null, { ctrl: true, name: 'e' });
      lines.write(null, { ctrl: true, name: 'u' });
      this.#print('\n');
      ask();
    });
    lines.on('close', () => {
      left = true;
      void work.then(onEnd);
    });
    ask();
  }

  #prompt(continued: boolean): string {
    const status = this.#session?.status ?? 'idle';
    const mark = { idle: '', open: '*', failed: '!' }[status];
    return continued ? `${' '.repeat(10)}${mark}-> ` : `shardforge${mark}=> `;
  }

  /** False to leave. */
  async #command(line: string): Promise<boolean> {
    const [name = '', argument] = line.split(/\s+/, 2);
    switch (name) {
      case '\\q':
        return false;
      case '\\?':
        this.#print(help);
        return true;
      case '\\x':
        this.#format = this.#format === 'vertical' ? 'table' : 'vertical';
        return true;
      case '\\timing':
        this.#timing = !this.#timing;
        this.#print(`Timing is ${this.#timing ? 'on' : 'off'}.\n`);
        return true;
      case '\\d':
        await this.#guard(undefined, async () => {
          if (argument === undefined) throw new UsageError('\\d takes the name of a table');
          this.#print(formatResult(await describeTable(await this.#ready(), argument), 'table'));
        });
        return true;
      default:
        this.#terminal.errors.write(`${name} is no command; \\? lists them\n`);
        return true;
    }
  }

  /** Runs one statement and prints what comes of it; gives the exit code. */
  #run(statement: string): Promise<number> {
    return this.#guard(statement, async (signal) => {
      const session = await this.#ready();
      const startMs = performance.now();
      for (const result of await session.query(statement, [], { signal }).results('array')) {
        if (result.columns.length > 0 || result.tag.startsWith('SELECT')) {
          this.#print(formatResult(result as Parameters<typeof formatResult>[0], this.#format));
        } else if (this.#format === 'table' || this.#format === 'vertical') {
          this.#print(`${result.tag}\n`);
        }
      }
      if (this.#timing) this.#print(`Time: ${(performance.now() - startMs).toFixed(1)} ms\n`);
    });
  }

  async #guard(
    statement: string | undefined,
    action: (signal: AbortSignal) => Promise<void>,
  ): Promise<number> {
    const running = new AbortController();
    this.#running = running;
    try {
      await action(running.signal);
      return 0;
    } catch (error) {
      if (running.signal.aborted) this.#terminal.errors.write('Cancelled.\n');
      else this.#complain(error, statement);
      return exitCodeFor(error);
    } finally {
      this.#running = undefined;
    }
  }

  /** The session; another one when the last was lost. */
  async #ready(): Promise<Session> {
    if (this.#session?.lost === true) {
      this.#session.release();
      this.#session = undefined;
      this.#terminal.errors.write('The connection was lost; trying a new one.\n');
    }
    this.#session ??= await this.#database.session();
    return this.#session;
  }

  #complain(error: unknown, statement?: string): void {
    this.#terminal.errors.write(describeError(error, statement));
  }

  #print(text: string): void {
    this.#terminal.output.write(text);
  }
}

/** SHARDFORGE_HISTORY, or a file in the home directory; none when the variable is empty. */
function historyFile(): string | undefined {
  const named = process.env.SHARDFORGE_HISTORY;
  if (named !== undefined) return named === '' ? undefined : named;
  return join(homedir(), '.shardforge_history');
}

/** Newest first, as readline wants it. A history that cannot be read is no reason not to work. */
function readHistory(path: string | undefined): string[] {
  if (path === undefined) return [];
  try {
    const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
    return lines.reverse().slice(0, historyLinesMax);
  } catch {
    return [];
  }
}

function writeHistory(path: string | undefined, entries: readonly string[]): void {
  if (path === undefined) return;
  try {
    const lines = [...entries].reverse().join('\n');
    writeFileSync(path, `${lines}\n`, { mode: 0o600 });
  } catch {
    // As above: the prompt works without its history.
  }
}
