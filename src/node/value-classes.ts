/** Makes the classes of SQL values known, so that they travel in messages between threads. */
import { registerClass } from '../actors/index.js';
import { Interval, Jsonb, Numeric } from '../sql/types/index.js';

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
