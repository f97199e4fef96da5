/** `node dist/main.js --config FILE`: runs a node. `shardforge start` does the same. */
import { parseArgs } from 'node:util';
import { raise } from './base/errors.js';
import { endWith, loadConfig, packageVersion, runNode } from './node/index.js';

const usage = `Usage: node dist/main.js [--config FILE]

  --config FILE   the configuration (docs/config.md); defaults without
  --version       print the version
  --help          print this text
`;

function readArguments(): { config?: string; version?: boolean; help?: boolean } {
  const options = {
    config: { type: 'string' },
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
  else await runNode(loadConfig(args.config, process.env));
} catch (error) {
  endWith(error);
}
