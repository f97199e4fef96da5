/** Limits of the door for PostgreSQL's protocol that no setting changes; docs/limits.md lists them. */

/** Bytes of a start-up packet, as PostgreSQL's. */
export const startupBytesMax = 10_000;
/** Portals of one connection. */
export const portalsMax = 1000;
/** Bytes that clients have sent ahead of what is executed, above which they are no longer read. */
export const unreadBytesMax = 1_048_576;
/** Milliseconds between two messages to a client that has ended its side while something runs for it: is it there? */
export const goneProbeMs = 3000;
/** Messages of rows that a session is asked for before some of them have been sent on. */
export const windowMessagesMax = 4;
/** Newest protocol version that is spoken, 3.2: major in the upper half. */
export const protocolVersion = 0x0003_0002;
/** The first version whose keys of cancellation are long, 3.2. */
export const longKeyVersion = 0x0003_0002;
/** Bytes of the key that a client of protocol 3.0 cancels by. */
export const shortKeyBytes = 4;
/** Bytes of the key that a client of protocol 3.2 cancels by. */
export const longKeyBytes = 32;
/** Sockets for each connection of `limits.connections`: those beyond have not signed in; more are closed without an answer. */
export const socketsPerSeat = 2;
