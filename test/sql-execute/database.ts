/**
 * A database without shard and session, for tests of the executor: SQL text in, rows out, over a map
 * in memory. Each statement is a transaction that commits at once.
 */
import { deepEqual } from 'node:assert/strict';
import { loadModule } from 'libpg-query';
import { must } from '#src/base/assert.js';
import { byteString } from '#src/base/bytes.js';
import { raise } from '#src/base/errors.js';
import { Random } from '#src/base/random.js';
import { bind, BindContext, ParameterTypes } from '#src/sql/bind/index.js';
import {
  CatalogueCache,
  type NumberSource,
  PathLookup,
  TransactionCatalogue,
} from '#src/sql/catalogue/index.js';
import { isDdl, noPrepared, runDdl } from '#src/sql/ddl/index.js';
import {
  type CompiledStatement,
  compileStatement,
  type ExecutionContext,
} from '#src/sql/execute/index.js';
import { MemoryAccount } from '#src/sql/memory.js';
import { parse, type ParsedStatement } from '#src/sql/parse/index.js';
import type { BoundStatement } from '#src/sql/plan/statement.js';
import {
  findTimeZone,
  type FunctionContext,
  type Row,
  typeNamed,
  type Value,
} from '#src/sql/types/index.js';
import type { Span, Visit } from '#src/storage/engine.js';
import { TransactionBuffer } from '#src/txn/buffer.js';
import type { Proposal } from '#src/txn/transaction.js';

await loadModule();

export const functions: FunctionContext = {
  statementTimestamp: 820_000_000_000_000n,
  transactionTimestamp: 820_000_000_000_000n,
  clockTimestamp: () => 820_000_000_000_001n,
  timeZone: must(findTimeZone('UTC'), 'UTC is known'),
  random: new Random(1),
  user: 'tester',
  database: 'test',
  schema: 'public',
  version: 'test',
  setting: () => undefined,
};

/** Committed pairs in order of key. */
class Pairs {
  readonly #pairs = new Map<string, { readonly key: Uint8Array; readonly value: Uint8Array }>();
  #sorted: string[] | undefined;

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#pairs.get(byteString(key))?.value;
  }

  scan(span: Span, visit: Visit, reverse = false): void {
    this.#sorted ??= [...this.#pairs.keys()].sort();
    const from = lowerBound(this.#sorted, byteString(span.from));
    const to = lowerBound(this.#sorted, byteString(span.to));
    for (let i = 0; i < to - from; i += 1) {
      const name = this.#sorted[reverse ? to - 1 - i : from + i] ?? '';
      const { key, value } = must(this.#pairs.get(name), 'the pair is there');
      if (!visit(key, value)) return;
    }
  }

  apply({ writes }: Proposal): void {
    for (const write of writes) {
      if (write.op === 'put') this.#set(write.key, write.value);
      if (write.op === 'delete') this.#pairs.delete(byteString(write.key));
    }
    this.#sorted = undefined;
  }

  #set(key: Uint8Array, value: Uint8Array): void {
    this.#pairs.set(byteString(key), { key, value });
  }
}

function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

export interface Result {
  readonly rows: readonly Row[];
  readonly count: number;
  /** Steps that ended with a pause. */
  readonly pauses: number;
}

export interface Options {
  readonly parameters?: readonly Value[];
  /** Whether the turn is over, at each question. */
  readonly turnIsOver?: () => boolean;
  /** The memory of each statement. */
  readonly memoryBytes?: number;
}

export class Database {
  readonly pairs = new Pairs();
  readonly #sequences = new Map<string, bigint>();
  readonly #cache = new CatalogueCache();

  readonly #version = { catalogueVersion: 1 };
  readonly #numbers: NumberSource = {
    take: (key: Uint8Array, start: bigint, increment: bigint, count: number): bigint => {
      const name = byteString(key);
      const last = (this.#sequences.get(name) ?? start - increment) + increment * BigInt(count);
      this.#sequences.set(name, last);
      return last;
    },
  };

  bind(sql: string, buffer = new TransactionBuffer(this.pairs)): BoundStatement {
    const [parsed, ...others] = parse(sql, { statementBytes: 10_000_000 });
    if (parsed === undefined || others.length > 0) throw new Error('one statement, please');
    const objects = new TransactionCatalogue(this.#version, buffer, this.#cache, this.#numbers);
    const catalogue = new PathLookup(objects, ['public']);
    return bind(parsed, { catalogue, functions, parameterTypes: [] });
  }

  /** Runs one statement and commits it. */
  run(sql: string, options: Options = {}): Result {
    const buffer = new TransactionBuffer(this.pairs);
    const [parsed] = parse(sql, { statementBytes: 10_000_000 });
    if (parsed !== undefined && isDdl(parsed.node)) {
      buffer.beginStatement();
      this.#define(parsed, buffer, options);
      this.#commit(buffer);
      this.#version.catalogueVersion += 1;
      return { rows: [], count: 0, pauses: 0 };
    }
    const bound = this.bind(sql, buffer);
    buffer.beginStatement();
    const compiled = compileStatement(bound);
    const result = this.execute(compiled, buffer, options);
    if (compiled.point !== undefined) {
      const row = compiled.point(this.context(buffer, options));
      deepEqual(row === undefined ? [] : [row], result.rows, 'the fast path gives the same');
    }
    this.#commit(buffer);
    return result;
  }

  #define(parsed: ParsedStatement, buffer: TransactionBuffer, options: Options): void {
    const catalogue = new TransactionCatalogue(this.#version, buffer, this.#cache, this.#numbers);
    const lookup = new PathLookup(catalogue, ['public']);
    const bind = new BindContext(parsed.source, lookup, functions, new ParameterTypes([]));
    const execution = this.context(buffer, options);
    const work = runDdl(
      { bind, catalogue, execution, prepared: noPrepared, inBlock: false, notice: () => {} },
      parsed,
    );
    while (work.next().done !== true);
  }

  context(buffer: TransactionBuffer, options: Options = {}): ExecutionContext {
    return {
      buffer,
      numbers: this.#numbers,
      parameters: options.parameters ?? [],
      functions,
      memory: new MemoryAccount('statementMemoryBytes', options.memoryBytes ?? 100_000_000),
      turnIsOver: options.turnIsOver ?? (() => false),
    };
  }

  execute(compiled: CompiledStatement, buffer: TransactionBuffer, options: Options = {}): Result {
    const context = this.context(buffer, options);
    const { memoryBytes = 100_000_000 } = options;
    const rows: Row[] = [];
    let pauses = 0;
    const execution = compiled.start(context);
    try {
      for (;;) {
        const step = execution.step();
        // As a session does: what the statement has written counts between its steps.
        if (buffer.bytes > memoryBytes) raise('out_of_memory', 'the buffer is over budget');
        if (step.kind === 'rows') rows.push(...step.rows);
        else if (step.kind === 'pause') pauses += 1;
        else {
          if (context.memory.usedBytes !== 0) throw new Error('memory is still charged');
          return { rows, count: step.count, pauses };
        }
      }
    } finally {
      execution.close();
    }
  }

  /** The rows as text, a line each, NULL as `null`, columns joined by `|`. */
  print(sql: string, options: Options = {}): string {
    const [parsed] = parse(sql, { statementBytes: 10_000_000 });
    const defines = parsed !== undefined && isDdl(parsed.node);
    const columns = defines ? undefined : this.bind(sql).columns;
    const { rows } = this.run(sql, options);
    return rows
      .map((row) =>
        row
          .map((value, i) =>
            value === null
              ? 'null'
              : typeNamed(columns?.[i]?.type.name ?? 'text').print(value, functions),
          )
          .join('|'),
      )
      .join('\n');
  }

  #commit(buffer: TransactionBuffer): void {
    buffer.endStatement();
    this.pairs.apply(buffer.proposal(1 as never, 1 as never));
  }
}
