/** Bounds of what can be bound. */

/** Levels that expressions and FROM may nest: what a stack of 1 MB allows. */
export const nestingDepthMax = 500;

/** Columns of a result, as in PostgreSQL. */
export const resultColumnsMax = 1664;

/** Columns of a table, as in PostgreSQL. */
export const tableColumnsMax = 1600;

/** Parameters of a statement, as PostgreSQL's protocol has it. */
export const parametersMax = 65_535;

/** The schema of the functions that administer node and cluster. */
export const adminSchema = 'shardforge';
