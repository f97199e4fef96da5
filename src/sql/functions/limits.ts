/** Bounds of what one call of a function may make. */

/** Characters that repeat(), lpad(), replace() and format() make at most from shorter texts. */
export const madeTextCharactersMax = 2 ** 26;
