/** The limits of the command line that are no option; docs/limits.md lists them. */

/** Lines that the history of the prompt keeps. */
export const historyLinesMax = 1_000;
/** Bytes of a record of CSV: a quote that is never closed would swallow the rest of the file. */
export const recordBytesMax = 1024 * 1024;
/** Bytes of CSV that are parsed at once, rounded up to whole records. */
export const pieceBytes = 256 * 1024;
/** Pieces of CSV that are parsed while another is loaded. */
export const piecesAheadMax = 2;
/** Parameters of one INSERT of an import; a batch has fewer rows when they would be more. */
export const batchParametersMax = 65_535;
/** How often a batch of an import that met another transaction is sent at most. */
export const batchAttemptsMax = 10;
