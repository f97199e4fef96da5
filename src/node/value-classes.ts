/** Makes the classes of SQL values known, so that they travel in messages between threads. */
import { registerClass } from '../actors/index.js';
import {
  ArrayValue,
  Interval,
  Jsonb,
  NamedOid,
  Numeric,
  RecordValue,
  ZonedTime,
} from '../sql/types/index.js';

registerClass(
  Numeric,
  40_001,
  // CBOR's integers end at 64 bits.
  ({ digits, scale, kind }) => [digits.toString(), scale, kind] as const,
  ([digits, scale, kind]) => new Numeric(BigInt(digits), scale, kind),
);
registerClass(
  Interval,
  40_002,
  ({ months, days, micros }) => [months, days, micros.toString()] as const,
  ([months, days, micros]) => new Interval(months, days, BigInt(micros)),
);
registerClass(
  Jsonb,
  40_003,
  ({ root }) => root,
  (root) => new Jsonb(root),
);
registerClass(
  ArrayValue,
  40_004,
  ({ dimensions, lowerBounds, elements }) => [dimensions, lowerBounds, elements] as const,
  ([dimensions, lowerBounds, elements]) => new ArrayValue(dimensions, lowerBounds, elements),
);
registerClass(
  RecordValue,
  40_005,
  ({ shape, values }) => [shape, values] as const,
  ([shape, values]) => new RecordValue(shape, values),
);
registerClass(
  NamedOid,
  40_006,
  ({ oid, name }) => [oid, name ?? null] as const,
  ([oid, name]) => new NamedOid(oid, name ?? undefined),
);
registerClass(
  ZonedTime,
  40_007,
  ({ time, offset }) => [time, offset] as const,
  ([time, offset]) => new ZonedTime(time, offset),
);
