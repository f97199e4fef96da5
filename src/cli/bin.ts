#!/usr/bin/env node
/** The `shardforge` command. */
import { CommanderError } from 'commander';
import { program } from './index.js';
import { describeError, exitCodeFor, exitCodes } from './report.js';

// Whoever reads the output may stop reading, as `head` does.
process.stdout.on('error', () => process.exit(0));

const root = program((code) => {
  process.exitCode = code;
});
for (const command of [root, ...root.commands, ...root.commands.flatMap((c) => c.commands)]) {
  command.exitOverride();
}
root.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
    return;
  }
  process.stderr.write(describeError(error));
  process.exitCode = exitCodeFor(error);
});
