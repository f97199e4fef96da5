/** Bounds that keep one pattern from exhausting the node. */

/** Repetitions that `{m,n}` may ask for, as PostgreSQL has it. */
export const repetitionsMax = 255;

/** States of the automaton of a pattern; beyond, it is too complex. */
export const patternStatesMax = 100_000;

/** Parentheses that may nest in one another. */
export const patternDepthMax = 500;

/** Work of one search: characters looked at and states entered. Less than a second. */
export const searchStepsMax = 30_000_000;

/** States that one automaton keeps made; beyond, all are forgotten and made again. */
export const keptStatesMax = 20_000;

/** Compiled patterns that are kept ready, and characters that their texts have together. */
export const keptPatternsMax = 100;
export const keptPatternCharactersMax = 200_000;
