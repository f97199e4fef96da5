/** Errors as a person at a terminal wants them, and with what code the command then ends. */
import { type Notice, ShardForgeError } from '../client/index.js';

/** What the command ends with; docs/cli.md lists the same. */
export const exitCodes = {
  /** A statement failed, or lines of an import were bad. */
  failed: 1,
  /** The command line or a file that it names is wrong. */
  usage: 2,
  /** The node could not be reached, or was lost. */
  connection: 3,
} as const;

/** A mistake on the command line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The text of an error; `statement` is shown with a caret where the error has a position. */
export function describeError(error: unknown, statement?: string): string {
  if (error instanceof UsageError) return `shardforge: ${error.message}\n`;
  if (!(error instanceof ShardForgeError)) {
    return `shardforge: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`;
  }
  const lines = [`ERROR ${error.sqlstate}: ${error.message}`];
  if (statement !== undefined && error.position !== undefined) {
    lines.push(...caret(statement, error.position));
  }
  if (error.detail !== undefined) lines.push(`DETAIL: ${error.detail}`);
  if (error.hint !== undefined) lines.push(`HINT: ${error.hint}`);
  return `${lines.join('\n')}\n`;
}

/** The text of what a node says beside results. */
export function describeNotice({ severity, message, detail, hint }: Notice): string {
  const lines = [`${severity}: ${message}`];
  if (detail !== undefined) lines.push(`DETAIL: ${detail}`);
  if (hint !== undefined) lines.push(`HINT: ${hint}`);
  return `${lines.join('\n')}\n`;
}

export function exitCodeFor(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (!(error instanceof ShardForgeError)) return exitCodes.failed;
  return error.sqlstate.startsWith('08') ? exitCodes.connection : exitCodes.failed;
}

/** The line of the statement that holds the position (in characters from 1) and a caret below it. */
function caret(statement: string, position: number): string[] {
  const characters = [...statement];
  const at = Math.min(position - 1, characters.length);
  const begin = characters.lastIndexOf('\n', at - 1) + 1;
  const found = characters.indexOf('\n', at);
  const line = characters.slice(begin, found < 0 ? undefined : found).join('');
  const number = characters.slice(0, begin).filter((character) => character === '\n').length + 1;
  const label = `LINE ${number}: `;
  // Tabs are kept, so that the caret stands below its character.
  const before = characters.slice(begin, at).map((character) => (character === '\t' ? '\t' : ' '));
  return [label + line, `${' '.repeat(label.length)}${before.join('')}^`];
}
