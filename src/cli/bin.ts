#!/usr/bin/env node
/** The `shardforge` command. */
import { type Command, CommanderError } from 'commander';
import { program } from './index.js';
import { describeError, exitCodeFor, exitCodes } from './report.js';

// Whoever reads the output may stop reading, as `head` does.
process.stdout.on('error', () => process.exit(0));

const root = program((code) => {
  process.exitCode = code;
});
overrideExit(root);
root.parseAsync().catch((error: unknown) => {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
    return;
  }
  process.stderr.write(describeError(error));
  process.exitCode = exitCodeFor(error);
});

/** Has a mistake on the command line end with our code, at whatever depth of the commands. */
function overrideExit(command: Command): void {
  command.exitOverride();
  command.commands.forEach(overrideExit);
}
