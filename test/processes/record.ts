import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const file = 'bench/soak.md';

/** Adds a line to the table of bench/soak.md: what ran, on which seeds, what it covered and how often it failed. */
export function recordSoak(what: string, seeds: string, covered: string, failures: number): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const day = new Date().toISOString().slice(0, 10);
  const row = `| ${day} | ${commit} | ${what} | ${seeds} | ${covered} | ${failures} |`;
  const lines = readFileSync(file, 'utf8').split('\n');
  const last = lines.findLastIndex((line) => line.startsWith('|'));
  writeFileSync(file, lines.toSpliced(last + 1, 0, row).join('\n'));
}
