/** Limits of a node that no setting changes; docs/limits.md lists them. */

/** Long texts that wait for the thread that parses them; more are refused with 53400. */
export const parsesWaitingMax = 64;

/** Mebibytes of the heap of the thread that parses; beside it lies the parser's own memory. */
export const parseHeapMebibytes = 1024;
