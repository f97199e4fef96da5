/** A node as a process of its own: log, banner, signals and exit codes (docs/operations.md). */
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseError, errorCatalogue } from '../base/errors.js';
import type { NodeConfig } from './config.js';
import { exitCodeOf } from './exit-codes.js';
import { type NodeLog, openLog } from './log.js';
import { type RunningNode, startNode } from './running-node.js';

/** How long clients are told that their commit is unknown before a node with a dead disk ends. */
const lastWordsMs = 100;

/**
 * Runs a node until a signal ends it. Resolves when it is started; when it cannot start, the error is
 * printed and the process ends with its code.
 */
export async function runNode(config: NodeConfig): Promise<void> {
  const log = await openLog(config.log);
  // Whoever reads the log may go away; the node stays.
  process.stdout.on('error', () => undefined);
  process.on('uncaughtException', (error) => crash(log, error));
  process.on('unhandledRejection', (reason) => crash(log, reason));
  let stop = (_reason: string): void => undefined;
  const node = await startNode(config, {
    log: log.write,
    fatal: (error) => {
      if (error instanceof DatabaseError) void sleep(lastWordsMs).then(() => crash(log, error));
      else crash(log, error);
    },
    onStop: () => stop('node_stop'),
    onLogLevel: (level) => {
      log.threshold = level;
      log.write('info', 'log.level', { level });
    },
  }).catch((error: unknown) => endWith(error));
  stop = stopper(config, node, log);
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGUSR2', () => void node.dump());
  tell(config, node, log);
}

/** Says that the node is up, and when it serves SQL. */
function tell(config: NodeConfig, node: RunningNode, log: NodeLog): void {
  const [address] = node.addresses;
  const { directory } = config.data;
  const { version, workers, meshAddress: mesh, notReady } = node;
  if (process.stdout.isTTY && config.log.format !== 'json') {
    process.stdout.write(banner(version, directory, address));
  }
  if (mesh !== undefined) log.write('info', 'node.listening', { address, mesh, notReady });
  void node.served.then(() => {
    const readyMs = Math.round(performance.now());
    log.write('info', 'node.ready', { version, directory, address, workers, readyMs });
  });
}

/** Prints why a process cannot start, what to do, and ends it. */
export function endWith(error: unknown): never {
  const known = error instanceof DatabaseError;
  const { stack } = error as { stack?: string };
  const text = known
    ? `shardforge: ${error.message}\n${errorCatalogue[error.kind].advice} (${error.sqlstate})\n`
    : `shardforge: ${stack ?? String(error)}\n`;
  process.stderr.write(text);
  process.exit(exitCodeOf(error));
}

function crash(log: NodeLog, error: unknown): never {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const known = error instanceof DatabaseError;
  const advice = known
    ? { sqlstate: error.sqlstate, advice: errorCatalogue[error.kind].advice }
    : {};
  log.write('error', 'node.crashed', { message, ...advice, ...(known ? {} : { stack }) });
  process.exit(exitCodeOf(error));
}

/** Stops the node when it is called first, and the process at once when it is called again. */
function stopper(config: NodeConfig, node: RunningNode, log: NodeLog): (reason: string) => void {
  let stopping = false;
  return (reason) => {
    if (stopping) process.exit(exitCodeOf(undefined));
    stopping = true;
    log.write('info', 'node.stopping', { signal: reason, drainMs: config.shutdown.drainMs });
    node.stop().then(
      () => {
        log.write('info', 'node.stopped');
        process.exit(0);
      },
      (error: unknown) => crash(log, error),
    );
  };
}

function banner(version: string, directory: string, address: string | undefined): string {
  const lines = [`ShardForge ${version}`, `  data     ${directory}`];
  if (address !== undefined) {
    lines.push(
      `  SQL      ws://${address}/sql`,
      `  HTTP     http://${address}/ (health, ready, metrics)`,
      `  connect  npx shardforge sql --url ws://${address}/sql`,
    );
  }
  lines.push('  stop     Ctrl-C', '', '');
  return lines.join('\n');
}
