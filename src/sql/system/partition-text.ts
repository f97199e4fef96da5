/** FOR VALUES and PARTITION BY as PostgreSQL prints them. */
import { quotedText } from '../functions/index.js';
import { unreachable } from '../../base/assert.js';
import type { PartitionBound, RangeDatum } from '../catalogue/index.js';

/** A value of a bound: numbers and booleans bare, all else in quotes (get_range_partbound_string). */
function quoted(text: string | null): string {
  if (text === null) return 'NULL';
  return quotedText(text);
}

function rangeText(data: readonly RangeDatum[]): string {
  const shown = data.map((one) => (typeof one === 'string' ? one.toUpperCase() : quoted(one.text)));
  return `(${shown.join(', ')})`;
}

export function partitionBoundText(bound: PartitionBound): string {
  switch (bound.kind) {
    case 'default':
      return 'DEFAULT';
    case 'list':
      return `FOR VALUES IN (${bound.values.map(quoted).join(', ')})`;
    case 'range':
      return `FOR VALUES FROM ${rangeText(bound.from)} TO ${rangeText(bound.to)}`;
    case 'hash':
      return `FOR VALUES WITH (modulus ${bound.modulus}, remainder ${bound.remainder})`;
    default:
      return unreachable(bound);
  }
}
