/** Which objects a text of the catalogue names. */
import type { ObjectId } from '../../base/ids.js';
import { BindContext, ParameterTypes } from '../bind/context.js';
import { type Found, RecordingLookup } from '../catalogue/index.js';

/** Runs `work` with a context that remembers the objects named; parameters are not allowed in it. */
export function recorded<T>(
  bind: BindContext,
  work: (inner: BindContext) => T,
): { readonly value: T; readonly found: readonly Found[] } {
  const lookup = new RecordingLookup(bind.catalogue);
  const inner = new BindContext(bind.source, lookup, bind.functions, new ParameterTypes([]), bind);
  return { value: work(inner), found: lookup.found };
}

/** As `recorded`, for the functions and sequences named: types are known by the columns. */
export function usedWithin<T>(
  bind: BindContext,
  work: (inner: BindContext) => T,
): { readonly value: T; readonly uses: readonly ObjectId[] } {
  const { value, found } = recorded(bind, work);
  const uses = found
    .flatMap(({ objects }) => objects)
    .filter(({ kind }) => kind === 'function' || kind === 'sequence')
    .map(({ object }) => object);
  return { value, uses };
}
