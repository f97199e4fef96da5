/** PostgreSQL itself, in WASM: what our types and functions are compared with. */
import { PGlite } from '@electric-sql/pglite';
import type { Answer } from './evaluator.js';

export interface Oracle {
  ask(expression: string): Promise<Answer>;
  /**
   * Each expression's answer. Those that are expected to have a value are asked for together, as
   * long as none of them fails.
   */
  askAll(expressions: readonly string[], expected: readonly Answer[]): Promise<Answer[]>;
  /** Many expressions in one statement; none of them may fail. */
  askMany(expressions: readonly string[]): Promise<readonly (string | null)[]>;
  setZone(zone: string): Promise<void>;
  close(): Promise<void>;
}

/** Every type as the text that the server sends. */
const asText: Record<number, (text: string) => string> = {};
for (let oid = 16; oid < 4100; oid += 1) asText[oid] = (text) => text;

export async function startOracle(): Promise<Oracle> {
  const database = await PGlite.create();
  const options = { rowMode: 'array' as const, parsers: asText };
  const askTogether = async (expressions: readonly string[]): Promise<Answer[]> => {
    const text = `select ${expressions.join(', ')}`;
    const { fields, rows } = await database.query<(string | null)[]>(text, [], options);
    return fields.map(({ dataTypeID }, i) => ({ oid: dataTypeID, text: rows[0]?.[i] ?? null }));
  };
  const ask = async (expression: string): Promise<Answer> => {
    try {
      const [answer] = await askTogether([expression]);
      return answer ?? {};
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return { sqlstate: code, message };
    }
  };
  const askSome = async (expressions: readonly string[]): Promise<Answer[]> => {
    try {
      return await askTogether(expressions);
    } catch {
      const answers: Answer[] = [];
      for (const expression of expressions) answers.push(await ask(expression));
      return answers;
    }
  };
  return {
    ask,
    async askAll(expressions, expected) {
      const answers: Answer[] = [];
      const together = [...expressions.keys()].filter((i) => expected[i]?.oid !== undefined);
      for (let at = 0; at < together.length; at += 50) {
        const some = together.slice(at, at + 50);
        const found = await askSome(some.map((i) => expressions[i] ?? ''));
        for (const [n, i] of some.entries()) answers[i] = found[n] ?? {};
      }
      for (const [i, expression] of expressions.entries()) {
        answers[i] ??= await ask(expression);
      }
      return answers;
    },
    async askMany(expressions) {
      const answers: (string | null)[] = [];
      for (let at = 0; at < expressions.length; at += 500) {
        const list = expressions.slice(at, at + 500).join(', ');
        const result = await database.query<(string | null)[]>(`select ${list}`, [], options);
        answers.push(...(result.rows[0] ?? []));
      }
      return answers;
    },
    async setZone(zone) {
      await database.exec(`set timezone to '${zone}'`);
    },
    async close() {
      await database.close();
    },
  };
}
