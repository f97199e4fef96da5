/**
 * Checks of domains for values that are read inside of others: arrays, records and JSON. What a
 * statement casts to a domain, the binder has checked by the plan.
 */
import { must } from '../../base/assert.js';
import { bindDomainValue } from '../bind/index.js';
import type { CatalogueLookup } from '../catalogue/index.js';
import { compileAll, type ExecutionContext } from '../execute/index.js';
import type { FunctionContext, Row, TypeName, Value } from '../types/index.js';
import { domainChecksMax } from './limits.js';

type Evaluate = (context: ExecutionContext) => Row;

/** What checks are bound and evaluated with. */
export interface DomainPlace {
  readonly functions: FunctionContext;
  readonly catalogueVersion: number;
  readonly lookup: CatalogueLookup;
  contextOf(parameters: readonly Value[]): ExecutionContext;
}

export class DomainChecks {
  readonly #known = new Map<string, Evaluate>();
  #version = -1;

  /** Raises 23502 or 23514 unless `value` is one of the domain. */
  check(place: DomainPlace, domain: TypeName, value: Value): void {
    if (place.catalogueVersion !== this.#version || this.#known.size >= domainChecksMax) {
      this.#known.clear();
      this.#version = place.catalogueVersion;
    }
    if (!this.#known.has(domain)) {
      const expression = bindDomainValue(place.lookup, place.functions, domain);
      this.#known.set(domain, compileAll([expression]));
    }
    must(this.#known.get(domain), 'compiled above')(place.contextOf([value]));
  }
}
