/** The limits of the SDK that are no option; docs/limits.md lists them. */

/** Texts that a connection of the SDK prepares on its own; the one unused for longest is closed. */
export const preparedTextsMax = 200;
/** Characters of a text that the SDK prepares on its own; longer ones are rarely sent again. */
export const preparedTextLengthMax = 100_000;
/** Milliseconds that a node has to answer a cancel before the SDK gives the connection up. */
export const cancelGraceMs = 5_000;
/** Milliseconds between two looks of the SDK whether the node lives; silent for two, it is lost. */
export const heartbeatMs = 15_000;
/** Milliseconds that a node has to answer the SDK's goodbye. */
export const goodbyeMs = 1_000;
/** Milliseconds before the SDK connects again; doubled with each failure, half of it drawn. */
export const backoffMsFirst = 50;
/** The most that this pause grows to, in milliseconds. */
export const backoffMsMax = 5_000;
/** Frames of rows on their way to an iteration that has not asked for them yet. */
export const iterationFramesMax = 4;
/** Milliseconds before a transaction runs again; doubled with each attempt, half of it drawn. */
export const retryPauseMsFirst = 5;
/** The most that this pause grows to, in milliseconds. */
export const retryPauseMsMax = 1_000;
