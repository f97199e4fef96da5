/**
 * The `shardforge` command: it starts nodes, runs SQL and imports files (docs/cli.md).
 *
 * Guarantees: a command that failed ends with a code that says how; what goes to a pipe is plain;
 * memory does not grow with the size of a file that is imported.
 *
 * Must not know: anything of a node but how to start it and how passwords are kept. It talks to nodes through the SDK.
 */
export { program } from './program.js';
