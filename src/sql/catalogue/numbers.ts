/** Where numbers of sequences come from, those of tables and the ids of the catalogue. */
export interface NumberSource {
  /**
   * Takes `count` consecutive numbers of the sequence stored under `key`; gives the last, `increment`
   * times `count` beyond the one before them (`start - increment` when there is none).
   */
  take(key: Uint8Array, start: bigint, increment: bigint, count: number): bigint;
}
