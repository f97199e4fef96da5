/**
 * Runs a file of PostgreSQL's regression tests with psql itself against a node, and compares what it prints
 * behind each line of the script with the expected output.
 */
import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { wireNode } from '../postgres/nodes.js';
import { alignLines } from './expected.js';
import { suite } from './run.js';
import { readScript, type ScriptLine } from './script.js';

/** Why it cannot be had here; false when it can. */
export function noPsql(): string | false {
  return spawnSync('psql', ['--version']).status === 0 ? false : 'psql is not installed';
}

/** A file takes at most this long. */
const fileMs = 120_000;

export interface PsqlResult {
  readonly file: string;
  /** Lines of the script that end a statement or a command. */
  readonly lines: number;
  readonly matched: number;
  readonly missed: readonly PsqlMissed[];
  readonly seconds: number;
}

export interface PsqlMissed {
  readonly line: string;
  readonly expected: readonly string[];
  readonly found: readonly string[];
}

/** Runs `file` on a node of its own, after test_setup. With several expected files the best counts. */
export async function runByPsql(file: string): Promise<PsqlResult> {
  const startMs = performance.now();
  const { node, address } = await wireNode({
    copy: { directories: [resolve(suite, 'data'), tmpdir()] },
  });
  try {
    if (file !== 'test_setup') await psql(address, 'test_setup');
    const output = await psql(address, file);
    const script = readScript(readFileSync(`${suite}/sql/${file}.sql`, 'utf8'), new Map());
    const found = alignLines(script, output);
    const results = readdirSync(`${suite}/expected`)
      .filter((name) => name === `${file}.out` || new RegExp(`^${file}_\\d\\.out$`).test(name))
      .map((name) => readFileSync(`${suite}/expected/${name}`, 'utf8'))
      .map((expected) => compare(script, alignLines(script, expected), found));
    const best = results.reduce((a, b) => (b.matched > a.matched ? b : a));
    return { file, ...best, seconds: (performance.now() - startMs) / 1000 };
  } finally {
    await node.stop(0);
  }
}

/** What psql prints of a file, as pg_regress calls it. */
async function psql(address: string, file: string): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  const script = resolve(suite, 'sql', `${file}.sql`);
  const where = ['-h', host, '-p', port, '-U', 'admin', '-d', 'shardforge'];
  const quiet = ['-X', '-a', '-q', '-v', 'HIDE_TABLEAM=on', '-v', 'HIDE_TOAST_COMPRESSION=on'];
  // Errors have to stand where they occur, so that one pipe takes both.
  const command = ['-c', 'exec psql "$@" 2>&1', 'psql', ...where, ...quiet];
  const env = {
    ...{ PATH: process.env.PATH, LC_MESSAGES: 'C', LC_ALL: 'C.UTF-8', PGCLIENTENCODING: 'UTF8' },
    ...{ PGTZ: 'PST8PDT', PGDATESTYLE: 'Postgres, MDY' },
    ...{ PGOPTIONS: '-c intervalstyle=postgres_verbose' },
    ...{ PG_ABS_SRCDIR: resolve(suite), PG_ABS_BUILDDIR: tmpdir() },
    ...{ PG_LIBDIR: '/nonexistent', PG_DLSUFFIX: '.so' },
  };
  const options = { env, timeout: fileMs, maxBuffer: 64 * 1024 * 1024 };
  return await new Promise((done, failed) => {
    const child = execFile('sh', command, options, (error, output) => {
      if (error?.killed === true) failed(error);
      else done(output);
    });
    child.stdin?.end(readFileSync(script));
  });
}

/** Plans are the server's own. */
const uncounted = /^\s*explain\b/i;

function compare(
  script: readonly ScriptLine[],
  expected: readonly (readonly string[])[],
  found: readonly (readonly string[])[],
): Pick<PsqlResult, 'lines' | 'matched' | 'missed'> {
  const missed: PsqlMissed[] = [];
  let lines = 0;
  for (const [i, { text, items }] of script.entries()) {
    const texts = items.map((item) => (item.kind === 'statement' ? item.text : ''));
    if (items.length === 0 || texts.some((one) => uncounted.test(one))) continue;
    lines += 1;
    const ordered = texts.some((one) => /\border\s+by\b/i.test(one));
    const [wanted, printed] = [expected[i] ?? [], found[i] ?? []];
    if (comparable(wanted, ordered) === comparable(printed, ordered)) continue;
    missed.push({ line: text, expected: wanted, found: printed });
  }
  return { lines, matched: lines - missed.length, missed };
}

/** As pg_regress compares, without regard to blanks at the ends; rows without ORDER BY stand in any order. */
function comparable(lines: readonly string[], ordered: boolean): string {
  const trimmed = lines.map((line) => line.trimEnd());
  return (ordered ? trimmed : trimmed.toSorted()).join('\n');
}
