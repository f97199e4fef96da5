/** Bounds that keep one value or one session's inventions from exhausting the node. */

/** Arrays and objects of a JSON text that may nest in one another. */
export const jsonDepthMax = 2000;

/** Time zones that are kept ready; beyond, all are forgotten and made again when asked for. */
export const zonesMax = 1000;
