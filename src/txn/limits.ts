/** The limits of versions and transactions; docs/limits.md lists them. */

/** Transaction ids of an incarnation remembered as applied; more than can be proposed at once. */
export const windowIds = 16_384;
/** Incarnations whose ids are remembered; the one that was quiet longest is forgotten first. */
export const incarnationsMax = 16;
