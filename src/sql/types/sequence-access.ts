/** Sequences as functions reach them; each by the OID that regclass has of it. */
export interface SequenceAccess {
  /** nextval. */
  next(oid: number): bigint;
  /** currval: the last number that this session was given. */
  current(oid: number): bigint;
  /** lastval. */
  last(): bigint;
  /** setval; `called`: the next number is the one behind it. */
  set(oid: number, value: bigint, called: boolean): bigint;
  /** What a query of the sequence shows. */
  state(oid: number): { readonly lastValue: bigint; readonly isCalled: boolean };
  /** A default has given a number: currval and lastval tell it. */
  given(object: number, value: bigint): void;
}
