/**
 * Golden scripts: text files of commands, each followed by what it printed when the script was last
 * accepted. A test runs a script and compares; `UPDATE=1` rewrites it, and the diff is reviewed. The
 * form is that of cockroachdb/datadriven:
 *
 *     # A comment, kept as it is.
 *     command argument name=value
 *     more lines of input
 *     ----
 *     what it prints, up to the next empty line
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Command {
  readonly name: string;
  /** The words after the name without `=`. */
  readonly words: readonly string[];
  /** The words `name=value`. */
  readonly options: ReadonlyMap<string, string>;
  /** The lines between the command and `----`. */
  readonly input: readonly string[];
}

/** Runs one command of a script; what it returns is printed, an error as `error: message`. */
export type Run = (command: Command) => string;

const root = fileURLToPath(new URL('../../test/golden/', import.meta.url));

/** The names of the scripts of a layer: the files of test/golden/<layer>. */
export function scripts(layer: string): readonly string[] {
  const files = readdirSync(join(root, layer)).filter((file) => file.endsWith('.txt'));
  return files.map((file) => file.slice(0, -4)).sort();
}

/** Runs a script; `was` and `is` are equal unless something changed. With UPDATE=1 it is rewritten. */
export function runScript(
  layer: string,
  name: string,
  run: Run,
): { readonly was: string; readonly is: string } {
  const file = join(root, layer, `${name}.txt`);
  const was = readFileSync(file, 'utf8');
  const lines: string[] = [];
  for (const block of was.trimEnd().split('\n\n')) {
    const text = block.split('\n');
    const start = text.findIndex((line) => !line.startsWith('#'));
    lines.push(...text.slice(0, start < 0 ? text.length : start));
    if (start >= 0) {
      const end = text.indexOf('----');
      const request = text.slice(start, end < 0 ? text.length : end);
      lines.push(...request, '----', ...output(request, run));
    }
    lines.push('');
  }
  const is = lines.join('\n');
  if (process.env.UPDATE === '1' && is !== was) writeFileSync(file, is);
  return process.env.UPDATE === '1' ? { was: is, is } : { was, is };
}

function output([first = '', ...input]: readonly string[], run: Run): string[] {
  const [name = '', ...rest] = first.split(' ').filter((word) => word !== '');
  const words = rest.filter((word) => !word.includes('='));
  const options = new Map(
    rest
      .filter((word) => word.includes('='))
      .map((word) => {
        const at = word.indexOf('=');
        return [word.slice(0, at), word.slice(at + 1)];
      }),
  );
  let printed: string;
  try {
    printed = run({ name, words, options, input });
  } catch (error) {
    printed = `error: ${(error as Error).message}`;
  }
  // An empty line would end the output when the script is read again.
  return printed.split('\n').filter((line) => line !== '');
}
