/** How the command reaches a node: the option --url and the connection. */
import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import { connect, type Database, ShardForgeError } from '../client/index.js';
import { UsageError } from './report.js';

const defaultUrl = 'ws://127.0.0.1:7432';

/** `--url`, which may be given several times or divided by commas: each is tried. */
export function urlOption(): Option {
  const several = (text: string, before: readonly string[] | undefined): readonly string[] => [
    ...(before === undefined || before === defaults ? [] : before),
    ...text.split(',').map((url) => url.trim()),
  ];
  const defaults: readonly string[] = [defaultUrl];
  return new Option(
    '--url <url>',
    'the node; several of a cluster when given again or divided by commas',
  )
    .default(defaults, defaultUrl)
    .argParser(several)
    .env('SHARDFORGE_URL');
}

/** Who the command is, as far as the environment says it. */
function identification(): Parameters<typeof connect>[1] {
  const { SHARDFORGE_USER: user, SHARDFORGE_PASSWORD: password, SHARDFORGE_CA: ca } = process.env;
  const tls = ca === undefined || ca === '' ? undefined : { ca: readCertificate(ca) };
  return { user: user || undefined, password: password || undefined, tls };
}

function readCertificate(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(
      `SHARDFORGE_CA: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Connects to the first node that answers, as SHARDFORGE_USER with SHARDFORGE_PASSWORD, or as the address says. */
export async function reach(
  urls: readonly string[],
  options: Parameters<typeof connect>[1],
): Promise<Database> {
  try {
    return await connect(urls, { ...identification(), ...options });
  } catch (error) {
    // What is wrong with the address is wrong with the command line.
    const bad = error instanceof ShardForgeError && error.sqlstate === '22023';
    throw bad ? new UsageError(`${error.message}. ${error.hint ?? ''}`) : error;
  }
}
