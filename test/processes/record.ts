import { execFileSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';

/** Adds a line to bench/soak.md: what ran, on which seeds, what it covered and how often it failed. */
export function recordSoak(what: string, seeds: string, covered: string, failures: number): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const day = new Date().toISOString().slice(0, 10);
  appendFileSync(
    'bench/soak.md',
    `| ${day} | ${commit} | ${what} | ${seeds} | ${covered} | ${failures} |\n`,
  );
}
