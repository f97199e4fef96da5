/** How the command reaches a node: the options --url, --user and --password-file, and the connection. */
import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type ConnectOptions, connect, type Database, ShardForgeError } from '../client/index.js';
import { passwordIn } from './password.js';
import { UsageError } from './report.js';

/** What the command line says of the node and of who signs in there. */
export interface Reaching {
  readonly url: readonly string[];
  readonly user?: string;
  readonly passwordFile?: string;
}

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

/** Gives a command that connects the options for it. */
export function addReaching(command: Command): Command {
  const user = new Option('--user <name>', 'the role to sign in as').env('SHARDFORGE_USER');
  return command
    .addOption(urlOption())
    .addOption(user)
    .option('--password-file <file>', 'its password; without, SHARDFORGE_PASSWORD');
}

/** Who the command is, as far as its options and the environment say it. */
function identification({ user, passwordFile }: Reaching): ConnectOptions {
  const { SHARDFORGE_PASSWORD, SHARDFORGE_TOKEN, SHARDFORGE_CA: ca } = process.env;
  const password = passwordFile === undefined ? SHARDFORGE_PASSWORD : passwordIn(passwordFile);
  // Both from the environment is a mistake, which the SDK tells; the command line goes before it.
  const token = passwordFile === undefined ? SHARDFORGE_TOKEN : undefined;
  const tls = ca === undefined || ca === '' ? undefined : { ca: readCertificate(ca) };
  return {
    ...{ user: user || undefined, password: password || undefined, token: token || undefined },
    tls,
  };
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

/** Connects to the first node that answers, as the options or the environment say, or as the address does. */
export async function reach(reaching: Reaching, options: ConnectOptions): Promise<Database> {
  try {
    return await connect(reaching.url, { ...identification(reaching), ...options });
  } catch (error) {
    // What is wrong with the address is wrong with the command line.
    const bad = error instanceof ShardForgeError && error.sqlstate === '22023';
    throw bad ? new UsageError(`${error.message}. ${error.hint ?? ''}`) : error;
  }
}
