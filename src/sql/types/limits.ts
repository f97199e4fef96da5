/** Bounds that keep one value or one session's inventions from exhausting the node. */

/** Arrays and objects of a JSON text that may nest in one another. */
export const jsonDepthMax = 2000;

/** Time zones that are kept ready; beyond, all are forgotten and made again when asked for. */
export const zonesMax = 1000;

/** Dimensions of an array, as PostgreSQL has it. */
export const arrayDimensionsMax = 6;

/** Elements of an array, as PostgreSQL has it. */
export const arrayElementsMax = 134_217_727;

/** Types of users and arrays that are kept ready; beyond, all are forgotten and made again. */
export const madeTypesMax = 2000;

/** Collators that are kept ready; beyond, all are forgotten and made again when asked for. */
export const collatorsMax = 200;
