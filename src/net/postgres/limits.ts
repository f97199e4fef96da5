/** Limits of the door for PostgreSQL's protocol that no setting changes; docs/limits.md lists them. */

/** Bytes of a start-up packet, as PostgreSQL's. */
export const startupBytesMax = 10_000;
/** Milliseconds from the connection to the end of its start-up, as PostgreSQL's authentication_timeout. */
export const authenticationTimeoutMs = 60_000;
/** Portals of one connection. */
export const portalsMax = 1000;
/** Bytes that clients have sent ahead of what is executed, above which they are no longer read. */
export const unreadBytesMax = 1_048_576;
/** Messages of rows that a session is asked for before some of them have been sent on. */
export const windowMessagesMax = 4;
/** Messages of rows that a suspended portal keeps when other statements run before it goes on. */
export const portalMessagesMax = 256;
/** Protocol version that is spoken: major in the upper half. */
export const protocolVersion = 0x0003_0000;
