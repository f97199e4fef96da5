/** The facts of PostgreSQL 15 about its functions. */
import { NamedOid } from '../types/index.js';
import { catalogFunctions1 } from './facts/functions-1.js';
import { catalogFunctions2 } from './facts/functions-2.js';
import { catalogFunctions3 } from './facts/functions-3.js';
import { catalogFunctions4 } from './facts/functions-4.js';

/** A row of pg_proc of pg_catalog. */
export interface FunctionFacts {
  readonly oid: number;
  readonly name: string;
  readonly language: number;
  readonly cost: number;
  readonly rows: number;
  readonly variadic: number;
  readonly kind: string;
  readonly strict: boolean;
  readonly returnsSet: boolean;
  readonly volatility: string;
  readonly parallel: string;
  readonly defaults: number;
  readonly result: number;
  readonly parameters: readonly number[];
  /** With those that are results; undefined where `parameters` are all. */
  readonly allParameters: readonly number[] | undefined;
  readonly modes: readonly string[] | undefined;
  readonly names: readonly string[] | undefined;
  readonly source: string;
}

function listOf(text = '-'): readonly string[] | undefined {
  if (text === '-') return undefined;
  return text
    .replace(/^\{|\}$/g, '')
    .split(',')
    .map((part) => (part === '""' ? '' : part));
}

function factsOf(line: string): FunctionFacts {
  const fields = line.split(' ');
  const [oid, name = '', language, cost, rows, variadic, kind = 'f', strict, returnsSet] = fields;
  const [volatility = 'i', parallel = 's', defaults, result, parameters, all, modes, names] =
    fields.slice(9);
  return {
    oid: Number(oid),
    name,
    language: Number(language),
    cost: Number(cost),
    rows: Number(rows),
    variadic: Number(variadic),
    kind,
    strict: strict === 't',
    returnsSet: returnsSet === 't',
    volatility,
    parallel,
    defaults: Number(defaults),
    result: Number(result),
    parameters: (listOf(parameters) ?? []).map(Number),
    allParameters: listOf(all)?.map(Number),
    modes: listOf(modes),
    names: listOf(names),
    source: fields.slice(17).join(' '),
  };
}

interface Known {
  readonly all: readonly FunctionFacts[];
  readonly byOid: ReadonlyMap<number, FunctionFacts>;
  readonly byName: ReadonlyMap<string, readonly FunctionFacts[]>;
}

let known: Known | undefined;

/** Read when somebody asks: a node that nobody asks of its functions need not know. */
function read(): Known {
  const text = `${catalogFunctions1}${catalogFunctions2}${catalogFunctions3}${catalogFunctions4}`;
  const all = text.trim().split(/\n+/).map(factsOf);
  const byName = new Map<string, FunctionFacts[]>();
  for (const facts of all) byName.set(facts.name, [...(byName.get(facts.name) ?? []), facts]);
  return { all, byOid: new Map(all.map((facts) => [facts.oid, facts])), byName };
}

export function functionFacts(): Known {
  known ??= read();
  return known;
}

/** The function of a name that there is once, such as a type's input, as regproc has it; `-` is none. */
export function regprocOf(name: string): NamedOid {
  if (name === '-') return new NamedOid(0, undefined);
  const facts = functionFacts().byName.get(name)?.[0];
  return new NamedOid(facts?.oid ?? 0, facts?.name);
}
