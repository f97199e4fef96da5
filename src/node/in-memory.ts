/** The data directory of a node that keeps everything in memory. */
export const inMemory = ':memory:';
