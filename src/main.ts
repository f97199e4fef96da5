/** `node dist/main.js --config FILE`: runs a node. `shardforge start` does the same. */
import { parseArgs } from 'node:util';
import { raise } from './base/errors.js';
import { endWith, loadConfig, packageVersion, runNode } from './node/index.js';

const usage = `Usage: node dist/main.js [--config FILE] [--join HOST:PORT,...]

  --config FILE   the configuration (docs/config.md); defaults without
  --join LIST     mesh addresses of members of a cluster, which an empty node joins
  --version       print the version
  --help          print this text
`;

function readArguments(): { config?: string; join?: string; version?: boolean; help?: boolean } {
  const options = {
    config: { type: 'string' },
    join: { type: 'string' },
    version: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return raise('config_invalid', error instanceof Error ? error.message : String(error));
  }
}

try {
  const args = readArguments();
  if (args.help === true) process.stdout.write(usage);
  else if (args.version === true) process.stdout.write(`${packageVersion()}\n`);
  else await runNode(loadConfig(args.config, process.env, args.join?.split(',')));
} catch (error) {
  endWith(error);
}
