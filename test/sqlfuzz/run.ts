/** Runs random statements of one seed on both databases; every difference is made small. */
import type { PGlite } from '@electric-sql/pglite';
import { Random } from '#src/base/random.js';
import { type Client, TestNode } from '../sql/session-client.js';
import { askPostgres, askSession, type FuzzAnswer, isAlike } from './compare.js';
import { Queries } from './queries.js';
import { type FuzzSchema, makeSchema } from './schema.js';
import { render, shrink, type Tree } from './tree.js';

export interface FuzzDifference {
  readonly seed: number;
  readonly setup: readonly string[];
  readonly statement: string;
  readonly postgres: FuzzAnswer;
  readonly session: FuzzAnswer;
}

export interface FuzzResult {
  readonly statements: number;
  /** Statements that PostgreSQL answers with an error: they prove less. */
  readonly failedAlike: number;
  readonly differences: readonly FuzzDifference[];
}

const shrinkAttempts = 300;

/** Seeds make the same statements on every machine. `postgres` loses all its tables. */
export async function runSeed(
  postgres: PGlite,
  seed: number,
  statements: number,
  differencesMax = 3,
): Promise<FuzzResult> {
  const random = new Random(seed);
  const schema = makeSchema(random);
  const node = await TestNode.start();
  const client = node.connect();
  await postgres.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public; SET TimeZone = 'UTC'");
  const pair = new Pair(postgres, client);
  const differences: FuzzDifference[] = [];
  for (const text of [...schema.setup, ...schema.indexes]) {
    const { postgres: expected, session } = await pair.ask(text);
    if (!isAlike(expected, session, text)) {
      return {
        statements: 1,
        failedAlike: 0,
        differences: [{ seed, setup: schema.setup, statement: text, postgres: expected, session }],
      };
    }
  }
  const queries = new Queries(random, schema);
  let failedAlike = 0;
  let count = 0;
  while (count < statements && differences.length < differencesMax) {
    const statement = queries.statement();
    const found = await pair.inRolledBack(statement, schema);
    count += 1;
    if (found === undefined) continue;
    if (found === 'failed alike') {
      failedAlike += 1;
      continue;
    }
    const smallest = await shrink(
      statement,
      async (candidate) => typeof (await pair.inRolledBack(candidate, schema)) === 'object',
      shrinkAttempts,
    );
    const shown = await pair.inRolledBack(smallest, schema);
    const answers = typeof shown === 'object' ? shown : found;
    differences.push({
      seed,
      setup: [...schema.setup, ...schema.indexes],
      statement: render(smallest),
      ...answers,
    });
  }
  return { statements: count, failedAlike, differences };
}

interface Answers {
  readonly postgres: FuzzAnswer;
  readonly session: FuzzAnswer;
}

class Pair {
  readonly #postgres: PGlite;
  readonly #client: Client;

  constructor(postgres: PGlite, client: Client) {
    this.#postgres = postgres;
    this.#client = client;
  }

  async ask(text: string): Promise<Answers> {
    return {
      postgres: await askPostgres(this.#postgres, text),
      session: await askSession(this.#client, text),
    };
  }

  /**
   * The statement alone, or within a block that is rolled back when it changes rows: then the tables
   * are compared too. Undefined when all was alike.
   */
  async inRolledBack(
    statement: Tree,
    schema: FuzzSchema,
  ): Promise<Answers | 'failed alike' | undefined> {
    const text = render(statement);
    const changes = /^(INSERT|UPDATE|DELETE|MERGE)/.test(text);
    if (changes) await this.ask('BEGIN');
    try {
      const answers = await this.ask(text);
      if (!isAlike(answers.postgres, answers.session, text)) return answers;
      if (answers.postgres.kind === 'error') return 'failed alike';
      if (!changes) return undefined;
      for (const { name } of schema.tables) {
        const after = await this.ask(`SELECT * FROM ${name}`);
        if (!isAlike(after.postgres, after.session, text)) return after;
      }
      return undefined;
    } finally {
      if (changes) await this.ask('ROLLBACK');
    }
  }
}
