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
/** Milliseconds for which one of several nodes that failed is left alone; doubled with each failure, half of it drawn. */
export const nodeBackoffMsFirst = 250;
/** The most that this pause grows to, in milliseconds. */
export const backoffMsMax = 5_000;
/** Nodes that the SDK keeps in mind, those that it was told of as leaders among them. */
export const addressesMax = 64;
/** Milliseconds that one of several nodes has to greet a new connection. */
export const dialTimeoutMs = 1_000;
/** Milliseconds of silence after which the SDK asks one of several nodes whether it lives. */
export const silenceMs = 300;
/** Milliseconds that a node that was asked whether it lives has to say anything before it is left. */
export const pongTimeoutMs = 700;
/** Milliseconds between two questions where the leader is, while there is traffic. */
export const leaderPollMs = 2_000;
/** Milliseconds for which the SDK does again what may be done again. */
export const retryMsDefault = 10_000;
/** Frames of rows on their way to an iteration that has not asked for them yet. */
export const iterationFramesMax = 4;
/** Milliseconds before a statement or transaction runs again; doubled with each attempt, half of it drawn. */
export const retryPauseMsFirst = 5;
/** The most that this pause grows to, in milliseconds. */
export const retryPauseMsMax = 1_000;

/** Milliseconds between two looks whether a connection that listens is alive, and that each may take. */
export const listenCheckMs = 5_000;
