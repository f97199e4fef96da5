/**
 * Reads a store in a child process, so that a damaged page crashes the child and not the node. Run as
 * a program (`node probe.js PATH`) this file is the child.
 */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { argv, execPath, exit, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { DatabaseError } from '../base/errors.js';
import { LmdbEngine } from './lmdb.js';

/** How long the child reads: all that a start reads first, then as much of the data as the time allows. */
const readMsMax = 1000;
/** A page that leads back to itself keeps the child busy for ever. */
const childMsMax = 20_000;
const pairsPerLook = 1024;
const spareBytes = 1024 * 1024;

const thisFile = fileURLToPath(import.meta.url);

/** What is wrong with the store, in words; undefined when it was read without harm. */
export function probeStore(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(execPath, [thisFile, path], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: childMsMax,
      killSignal: 'SIGKILL',
    });
    let said = '';
    const listen = (chunk: Buffer): void => {
      if (said.length < 2000) said += chunk.toString();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('error', (error) => resolve(`the probe cannot run: ${error.message}`));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(undefined);
      else if (signal !== null) resolve(`reading it ends the process by ${signal}`);
      else resolve(said.trim() || `the probe ended with ${code}`);
    });
  });
}

/** Keys ascend from the log to the data, so what every start needs comes first. */
async function readStore(path: string): Promise<void> {
  // No larger than it must be: the process that asks may have little address space.
  const mapBytes = statSync(join(path, 'data.mdb')).size + spareBytes;
  const engine = new LmdbEngine({ path, mapBytes });
  const end = performance.now() + readMsMax;
  let pairs = 0;
  engine.scan({ from: Buffer.of(1), to: Buffer.of(0xff) }, () => {
    pairs += 1;
    return pairs % pairsPerLook !== 0 || performance.now() < end;
  });
  await engine.close();
}

if (argv[1] === thisFile && argv[2] !== undefined) {
  // Not awaited here: a top-level await would keep require() from loading the package.
  readStore(argv[2]).catch((error: unknown) => {
    const { message } = error as Error;
    stdout.write(error instanceof DatabaseError ? message : `it cannot be opened: ${message}`);
    exit(1);
  });
}
