/** Limits of the ways between threads; docs/limits.md lists them. */

/** Bytes of one ring; there are up to four per ordered pair of threads, made when first used. */
export const ringBytes = 262_144;
/** Bytes of records that gather before they go to a ring together. */
export const stagingBytes = 32_768;
/** Bytes that are taken from a ring at once. */
export const readBytes = 65_536;
/** Bytes that may wait in memory, new work included, while work longer than a ring passes in pieces. */
export const workBehindLongBytesMax = 67_108_864;
