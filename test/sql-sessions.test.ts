/**
 * Transactions, settings, notices and prepared statements of a session against what PostgreSQL 15.18 answered to the
 * same statements, one after the other in one session (test/golden/sql/sessions.txt; recorded by node-postgres).
 */
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { errorCatalogue } from '#src/base/errors.js';
import type { SessionAnswer } from '#src/sql/session/protocol.js';
import { type Client, printed, resultsOf, TestNode } from './sql/session-client.js';

t.setTimeout(240_000);

const golden = 'test/golden/sql/sessions.txt';

const indented = (text: string | undefined): string[] =>
  (text?.split('\n') ?? []).map((line) => `  ${line}`);

/** What came of a statement, as lines. */
async function outcome(client: Client, text: string): Promise<string[]> {
  const answers = await client.execute(text);
  // As node-postgres has it: the results of a text that fails are not told.
  const failure = answers.filter(({ kind }) => kind === 'sql.failed');
  const told = failure.length > 0 ? failure : answers;
  return [...client.takeNotices(), ...told.flatMap(linesOf)];
}

function linesOf(answer: SessionAnswer): string[] {
  switch (answer.kind) {
    case 'sql.failed': {
      const { kind, message, details } = answer.error;
      const hint = details.hint === undefined ? [] : [`  hint: ${details.hint}`];
      return [
        `ERROR ${errorCatalogue[kind].sqlstate} ${message}`,
        ...indented(details.detail),
        ...hint,
      ];
    }
    case 'sql.complete':
      return [answer.completion.tag.split(' ')[0] ?? ''];
    case 'sql.rows':
      return resultsOf([answer]).flatMap((result) =>
        printed(result).map((row) => row.map((value) => value ?? 'NULL').join('|')),
      );
    default:
      return [];
  }
}

t.test('sessions answer as PostgreSQL does', async (t) => {
  const node = await TestNode.start();
  const client = node.connect();
  const blocks = readFileSync(golden, 'utf8').split(/^> /m).slice(1);
  const found: string[] = [];
  for (const block of blocks) {
    const text = block.slice(0, block.indexOf('\n'));
    found.push(`${[text, ...(await outcome(client, text))].join('\n')}\n`);
  }
  if (process.env.FOUND !== undefined)
    writeFileSync(process.env.FOUND, found.map((one) => `> ${one}`).join(''));
  t.equal(blocks.length > 250, true);
  for (const [i, block] of blocks.entries())
    t.equal(found[i], block, block.slice(0, block.indexOf('\n')));
});
