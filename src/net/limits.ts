/** Limits of the doors that no setting changes; docs/limits.md lists them. */

/** Requests of a connection that lie at its session; the others wait at the door. */
export const forwardedRequestsMax = 32;
/** Frames of rows that a session is asked for before some of them have been sent on. */
export const windowFramesMax = 4;
/** Characters of a frame of rows after which no more than one further frame is asked for. */
export const largeFrameLength = 262_144;
/** Bytes waiting for a client above which it is no longer read. */
export const congestedBytes = 1_048_576;
/** Milliseconds between two looks whether clients live. */
export const lifeCheckMs = 30_000;
/** Milliseconds that a client has to answer a close frame. */
export const closeTimeoutMs = 2000;
/** Characters of a user, database or application name. */
export const nameLengthMax = 63;
