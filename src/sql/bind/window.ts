/** Windows: the WINDOW clause, OVER and frames (parse_clause.c of PostgreSQL). */
import { must } from '../../base/assert.js';
import { findCoercion, rangesOf } from '../functions/index.js';
import { type ast, fields, locationOf, the } from '../parse/index.js';
import type { Expression, Frame, FrameBound } from '../plan/expression.js';
import { printType } from '../types/index.js';
import { coerce, coerceTo, nameOf, typeOf } from './coerce.js';
import type { WindowOrder } from './collector.js';
import type { BindContext } from './context.js';
import { bindExpression, bindSettled, type Clause, nodeLocation } from './expression.js';
import { columnIn } from './group.js';
import { bindSortKeys, checkSortable } from './sort.js';

export interface BoundWindow extends WindowOrder {
  readonly frame: Frame;
  /** True when the window says a frame of its own. */
  readonly framed: boolean;
}

export type NamedWindows = ReadonlyMap<string, BoundWindow>;

/** Bits of WindowDef.frameOptions (nodes/parsenodes.h). */
const bits = {
  nonDefault: 0x1,
  range: 0x2,
  rows: 0x4,
  startFirst: 0x20,
  startCurrent: 0x200,
  endCurrent: 0x400,
  startPreceding: 0x800,
  endPreceding: 0x1000,
  startFollowing: 0x2000,
  endFollowing: 0x4000,
  excludeCurrent: 0x8000,
  excludeGroup: 0x1_0000,
  excludeTies: 0x2_0000,
} as const;

/** The windows of a WINDOW clause; a later one may build on an earlier one. */
export function bindNamedWindows(
  context: BindContext,
  clause: Clause,
  nodes: readonly ast.Node[] | undefined,
): NamedWindows {
  const named = new Map<string, BoundWindow>();
  for (const node of nodes ?? []) {
    const body = the(node, 'WindowDef');
    const { name = '' } = body;
    if (named.has(name)) {
      const text = `window "${name}" is already defined`;
      context.raise(locationOf(body), 'windowing_error', text);
    }
    named.set(name, bindWindow(context, { ...clause, namedWindows: named }, body));
  }
  return named;
}

/** The window of OVER: a name, or a definition. */
export function bindOver(context: BindContext, clause: Clause, body: ast.WindowDef): BoundWindow {
  const { name } = body;
  if (name !== undefined) return findWindow(context, clause, name, locationOf(body));
  return bindWindow(context, clause, body);
}

function findWindow(
  context: BindContext,
  clause: Clause,
  name: string,
  at: number | undefined,
): BoundWindow {
  const found = clause.namedWindows?.get(name);
  if (found !== undefined) return found;
  return context.raise(at, 'undefined_object', `window "${name}" does not exist`);
}

function bindWindow(context: BindContext, clause: Clause, body: ast.WindowDef): BoundWindow {
  const read = fields(context.source, 'WindowDef', body, [
    'name',
    'refname',
    'partitionClause',
    'orderClause',
    'frameOptions',
    'startOffset',
    'endOffset',
  ]);
  const at = locationOf(body);
  const within = (name: string): Clause => ({ ...clause, name, windows: undefined });
  const ownOrder = bindSortKeys(context, within('window definitions'), read.orderClause);
  const ownPartition = (read.partitionClause ?? []).map((node) => {
    const expression = bindSettled(context, within('window definitions'), node);
    checkSortable(context, expression, nodeLocation(node));
    return expression;
  });
  const options = read.frameOptions ?? 0;
  const framed = (options & bits.nonDefault) !== 0;
  const base =
    read.refname === undefined ? undefined : findWindow(context, clause, read.refname, at);
  if (base !== undefined) {
    checkCopy(context, read, base, { framed, hasOrder: ownOrder.length > 0, at });
  }
  const partition = base?.partition ?? ownPartition;
  const order = base !== undefined && base.order.length > 0 ? base.order : ownOrder;
  const frame = bindFrame(context, within(modeName(options)), read, order, at);
  return { partition, order, frame, framed };
}

function checkCopy(
  context: BindContext,
  read: Pick<ast.WindowDef, 'name' | 'refname' | 'partitionClause'>,
  base: BoundWindow,
  own: { readonly framed: boolean; readonly hasOrder: boolean; readonly at: number | undefined },
): void {
  const { refname } = read;
  const wrong = (text: string, hint?: string): never =>
    context.raise(own.at, 'windowing_error', text, hint === undefined ? {} : { hint });
  if (read.partitionClause !== undefined) {
    wrong(`cannot override PARTITION BY clause of window "${refname}"`);
  }
  if (own.hasOrder && base.order.length > 0) {
    wrong(`cannot override ORDER BY clause of window "${refname}"`);
  }
  if (!base.framed) return;
  const text = `cannot copy window "${refname}" because it has a frame clause`;
  const isPlain = read.name === undefined && !own.hasOrder && !own.framed;
  wrong(text, isPlain ? 'Omit the parentheses in this OVER clause.' : undefined);
}

function modeName(options: number): 'RANGE' | 'ROWS' | 'GROUPS' {
  if (options & bits.range) return 'RANGE';
  return options & bits.rows ? 'ROWS' : 'GROUPS';
}

function bindFrame(
  context: BindContext,
  clause: Clause,
  read: Pick<ast.WindowDef, 'frameOptions' | 'startOffset' | 'endOffset'>,
  order: WindowOrder['order'],
  at: number | undefined,
): Frame {
  const { frameOptions: options = 0 } = read;
  const has = (bit: number): boolean => (options & bit) !== 0;
  const mode = has(bits.range) ? 'range' : has(bits.rows) ? 'rows' : 'groups';
  const offset = bits.startPreceding | bits.endPreceding | bits.startFollowing | bits.endFollowing;
  if (mode === 'range' && has(offset) && order.length !== 1) {
    const text = 'RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column';
    context.raise(at, 'windowing_error', text);
  }
  if (mode === 'groups' && order.length === 0) {
    context.raise(at, 'windowing_error', 'GROUPS mode requires an ORDER BY clause');
  }
  const bound = (kind: 'preceding' | 'following', node: ast.Node | undefined): FrameBound => ({
    kind,
    ...bindOffset(context, clause, must(node, 'an offset'), mode, order),
  });
  const start: FrameBound = has(bits.startPreceding)
    ? bound('preceding', read.startOffset)
    : has(bits.startFollowing)
      ? bound('following', read.startOffset)
      : { kind: has(bits.startCurrent) ? 'current' : 'first' };
  const end: FrameBound = has(bits.endPreceding)
    ? bound('preceding', read.endOffset)
    : has(bits.endFollowing)
      ? bound('following', read.endOffset)
      : { kind: has(bits.endCurrent) ? 'current' : 'last' };
  const exclude = has(bits.excludeCurrent)
    ? 'current'
    : has(bits.excludeGroup)
      ? 'group'
      : has(bits.excludeTies)
        ? 'ties'
        : 'nothing';
  return { mode, start, end, exclude };
}

type OffsetBound = Extract<FrameBound, { readonly offset: Expression }>;

function bindOffset(
  context: BindContext,
  clause: Clause,
  node: ast.Node,
  mode: Frame['mode'],
  order: WindowOrder['order'],
): Pick<OffsetBound, 'offset' | 'inRange'> {
  const inner: Clause = { ...clause, name: `window ${clause.name}`, aggregates: undefined };
  const bound = bindExpression(context, { ...inner, sets: undefined }, node);
  const variable = columnIn(bound);
  if (variable !== undefined) {
    const text = `argument of ${clause.name} must not contain variables`;
    context.raise(context.locationOf(variable), 'invalid_column_reference', text);
  }
  if (mode === 'range') return rangeOffset(context, bound, must(order[0], 'one key').expression);
  const offset = coerce(context, bound, typeOf('int8'), 'assignment');
  if (offset !== undefined) return { offset, inRange: undefined };
  const type = printType(bound.type.name, -1);
  const text = `argument of ${clause.name} must be type bigint, not type ${type}`;
  return context.raise(context.locationOf(bound), 'datatype_mismatch', text);
}

/** As transformFrameOffset(): the type of the offset chooses what distance means. */
function rangeOffset(
  context: BindContext,
  offset: Expression,
  key: Expression,
): Pick<OffsetBound, 'offset' | 'inRange'> {
  const keyType = nameOf(key);
  const given = nameOf(offset);
  // As PostgreSQL, which orders a varchar as the text that it is.
  const shownKey = printType(keyType === 'varchar' ? 'text' : keyType, -1);
  const refuse = 'RANGE with offset PRECEDING/FOLLOWING';
  const at = context.locationOf(offset);
  const ranges = rangesOf(keyType);
  if (ranges.length === 0) {
    const text = `${refuse} is not supported for column type ${shownKey}`;
    context.raise(at, 'feature_not_supported', text);
  }
  const fitting = ranges.filter(
    (range) =>
      range.offset === given ||
      given === 'unknown' ||
      findCoercion(given, range.offset, -1, 'implicit') !== undefined,
  );
  const types = `column type ${shownKey} and offset type ${printType(given, -1)}`;
  if (fitting.length === 0) {
    const hint = 'Cast the offset value to an appropriate type.';
    context.raise(at, 'feature_not_supported', `${refuse} is not supported for ${types}`, { hint });
  }
  const preferred = given === 'unknown' ? keyType : given;
  const chosen =
    fitting.find((range) => range.offset === preferred) ??
    (fitting.length === 1 ? fitting[0] : undefined);
  if (chosen === undefined) {
    const hint = 'Cast the offset value to the exact intended type.';
    const text = `${refuse} has multiple interpretations for ${types}`;
    return context.raise(at, 'feature_not_supported', text, { hint });
  }
  return { offset: coerceTo(context, offset, chosen.offset), inRange: chosen.inRange };
}
