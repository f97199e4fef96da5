/** The options of CREATE and ALTER SEQUENCE, and of identity columns (PostgreSQL's init_params). */
import { raise } from '../../base/errors.js';
import type { BindContext } from '../bind/context.js';
import { bindTypeName } from '../bind/type-name.js';
import type { SequenceDescriptor } from '../catalogue/index.js';
import { as, type ast, fields, locationOf, notSupported, stringsOf, the } from '../parse/index.js';
import { printType } from '../types/index.js';

/** What options decide. */
export type SequenceOptions = Pick<
  SequenceDescriptor,
  'type' | 'start' | 'increment' | 'minimum' | 'maximum' | 'cycle' | 'cache'
>;

export interface ReadOptions {
  readonly options: SequenceOptions;
  /** RESTART: the next number. */
  readonly restart: bigint | undefined;
  /** OWNED BY: the path of a column, or `none`. */
  readonly owner: readonly string[] | 'none' | undefined;
}

const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int2: [-32_768n, 32_767n],
  int4: [-2_147_483_648n, 2_147_483_647n],
  int8: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
};

type Given = ReadonlyMap<string, ast.DefElem>;

function givenOptions(bind: BindContext, nodes: readonly ast.Node[] | undefined): Given {
  const given = new Map<string, ast.DefElem>();
  for (const node of nodes ?? []) {
    const body = the(node, 'DefElem');
    const { defname = '' } = fields(bind.source, 'DefElem', body, ['defname', 'arg']);
    if (given.has(defname)) {
      bind.raise(locationOf(body), 'syntax_error', 'conflicting or redundant options');
    }
    if (!known.has(defname)) {
      notSupported(bind.source, `sequence option ${defname.toUpperCase()}`, locationOf(body));
    }
    given.set(defname, body);
  }
  return given;
}

const known: ReadonlySet<string> = new Set([
  ...['as', 'increment', 'start', 'restart', 'minvalue', 'maxvalue', 'cycle', 'cache', 'owned_by'],
]);

/** The number of an option; undefined when it was not said or says NO. */
function numberOf(given: Given, name: string): bigint | undefined {
  const arg = given.get(name)?.arg;
  const text = as(arg, 'Float')?.fval;
  if (text !== undefined) return BigInt(text);
  const whole = as(arg, 'Integer');
  return whole === undefined ? undefined : BigInt(whole.ival ?? 0);
}

/** `identity`: the type of the column whose numbers they are. `before`: of the sequence that is altered. */
export function sequenceOptions(
  bind: BindContext,
  nodes: readonly ast.Node[] | undefined,
  from: { readonly identity?: string; readonly before?: SequenceDescriptor } = {},
): ReadOptions {
  const given = givenOptions(bind, nodes);
  const { before } = from;
  const type = typeOf(bind, given, from.identity) ?? before?.type ?? from.identity ?? 'int8';
  const increment = numberOf(given, 'increment') ?? before?.increment ?? 1n;
  if (increment === 0n) raise('invalid_parameter_value', 'INCREMENT must not be zero');
  const { minimum, maximum } = bounds(given, type, increment, before);
  const start = numberOf(given, 'start') ?? before?.start ?? (increment > 0n ? minimum : maximum);
  checkWithin('START value', start, minimum, maximum);
  const restart = restartOf(given, start);
  if (restart !== undefined) checkWithin('RESTART value', restart, minimum, maximum);
  const cache = numberOf(given, 'cache') ?? before?.cache ?? 1n;
  if (cache <= 0n) raise('invalid_parameter_value', `CACHE (${cache}) must be greater than zero`);
  const cycle = given.get('cycle');
  return {
    options: {
      ...{ type, start, increment, minimum, maximum, cache },
      cycle:
        cycle === undefined ? (before?.cycle ?? false) : as(cycle.arg, 'Boolean')?.boolval === true,
    },
    restart,
    owner: ownerOf(given),
  };
}

function typeOf(bind: BindContext, given: Given, identity: string | undefined): string | undefined {
  const node = given.get('as');
  if (node === undefined) return undefined;
  const { name } = bindTypeName(bind, the(node.arg, 'TypeName'));
  if (ranges[name] !== undefined) return name;
  const what = identity === undefined ? 'sequence type' : 'identity column type';
  return raise('invalid_parameter_value', `${what} must be smallint, integer, or bigint`);
}

function restartOf(given: Given, start: bigint): bigint | undefined {
  if (!given.has('restart')) return undefined;
  return numberOf(given, 'restart') ?? start;
}

function ownerOf(given: Given): ReadOptions['owner'] {
  const node = given.get('owned_by');
  if (node === undefined) return undefined;
  const path = stringsOf(the(node.arg, 'List').items);
  if (path.length === 1 && path[0] === 'none') return 'none';
  if (path.length > 1) return path;
  return raise('syntax_error', 'invalid OWNED BY option', {
    hint: 'Specify OWNED BY table.column or OWNED BY NONE.',
  });
}

function bounds(
  given: Given,
  type: string,
  increment: bigint,
  before: SequenceDescriptor | undefined,
): { readonly minimum: bigint; readonly maximum: bigint } {
  const [lowest, highest] = ranges[type] ?? [0n, 0n];
  const ascends = increment > 0n;
  const [oldLowest, oldHighest] = ranges[before?.type ?? type] ?? [0n, 0n];
  const retyped = before !== undefined && before.type !== type;
  // A bound that was the old type's becomes the new type's.
  const maximum = given.has('maxvalue')
    ? numberOf(given, 'maxvalue')
    : retyped && before.maximum === oldHighest
      ? highest
      : before?.maximum;
  const minimum = given.has('minvalue')
    ? numberOf(given, 'minvalue')
    : retyped && before.minimum === oldLowest
      ? lowest
      : before?.minimum;
  const found = {
    maximum: maximum ?? (ascends ? highest : -1n),
    minimum: minimum ?? (ascends ? 1n : lowest),
  };
  const shown = printType(type, -1);
  for (const bound of ['maximum', 'minimum'] as const) {
    if (found[bound] >= lowest && found[bound] <= highest) continue;
    const word = bound === 'maximum' ? 'MAXVALUE' : 'MINVALUE';
    const text = `${word} (${found[bound]}) is out of range for sequence data type ${shown}`;
    raise('invalid_parameter_value', text);
  }
  if (found.minimum >= found.maximum) {
    const text = `MINVALUE (${found.minimum}) must be less than MAXVALUE (${found.maximum})`;
    raise('invalid_parameter_value', text);
  }
  return found;
}

function checkWithin(what: string, value: bigint, minimum: bigint, maximum: bigint): void {
  if (value < minimum) {
    raise(
      'invalid_parameter_value',
      `${what} (${value}) cannot be less than MINVALUE (${minimum})`,
    );
  }
  if (value > maximum) {
    const text = `${what} (${value}) cannot be greater than MAXVALUE (${maximum})`;
    raise('invalid_parameter_value', text);
  }
}
