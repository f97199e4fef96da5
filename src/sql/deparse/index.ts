/**
 * Stored texts as PostgreSQL prints the trees that it stores: names resolved, casts and parentheses where
 * ruleutils.c writes them. Guarantees: the printed text means what the stored one means; what cannot be
 * bound any more is given as it was written. Must not know: plans, execution, storage.
 */
export { Deparser } from './deparser.js';
