/** PostgreSQL itself, in WASM: what our types and functions are compared with. */
import { PGlite } from '@electric-sql/pglite';
import type { Answer } from './evaluator.js';

export interface Oracle {
  ask(expression: string): Promise<Answer>;
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
  return {
    async ask(expression) {
      try {
        const result = await database.query<(string | null)[]>(`select ${expression}`, [], options);
        return { oid: result.fields[0]?.dataTypeID ?? 0, text: result.rows[0]?.[0] ?? null };
      } catch (error) {
        const { code, message } = error as { code: string; message: string };
        return { sqlstate: code, message };
      }
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
