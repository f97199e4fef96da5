/** Passwords that the command is given: in a file, by the environment or typed. */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { UsageError } from './report.js';

/** The first line of the file. */
export function passwordIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
  const [password = ''] = text.split(/\r?\n/);
  if (password === '') throw new UsageError(`${file} begins with no password`);
  return password;
}

/** The password of a new user, from the file, SHARDFORGE_NEW_PASSWORD or a terminal; undefined for none. */
export async function newPassword(file: string | undefined): Promise<string | undefined> {
  if (file !== undefined) return passwordIn(file);
  const { SHARDFORGE_NEW_PASSWORD: given } = process.env;
  if (given !== undefined && given !== '') return given;
  return process.stdin.isTTY ? askPassword(process.stdin, process.stderr) : undefined;
}

/**
 * Asks twice and shows nothing of what is typed. An empty answer is no password.
 * @throws UsageError when the answers differ, or none comes
 */
export function askPassword(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<string | undefined> {
  // As a terminal it takes the keys itself, so that the real one does not echo them.
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: unseen, terminal: true, historySize: 0 });
  const answers: string[] = [];
  output.write('Password of the new user (empty for none): ');
  return new Promise((resolve, reject) => {
    lines.on('line', (answer) => {
      answers.push(answer);
      if (answers.length === 1 && answer !== '') output.write('\nThe same again: ');
      else lines.close();
    });
    lines.once('close', () => {
      output.write('\n');
      const [first, again] = answers;
      if (first === '') resolve(undefined);
      else if (first === undefined || again === undefined) {
        reject(new UsageError('no password was typed'));
      } else if (first === again) resolve(first);
      else reject(new UsageError('the passwords are not the same'));
    });
  });
}
