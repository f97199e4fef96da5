/** The limits of versions and transactions; docs/limits.md lists them. */

/** Transaction ids of an incarnation remembered as applied; more than can be proposed at once. */
export const windowIds = 16_384;
/** Incarnations whose ids are remembered; the one that was quiet longest is forgotten first. */
export const incarnationsMax = 16;
/** Advisory locks that the sessions of a cluster hold or wait for; the same at all of its nodes for good. */
export const advisoryLocksMax = 16_384;
