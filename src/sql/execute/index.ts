/**
 * Executes bound statements: compiles them to operators that run step by step. Guarantees that a
 * statement never sees its own writes, that no step outlasts the turn by much, and that what it holds
 * in memory is charged to its account. Knows no SQL text, no sessions and no commit.
 */
export { compileAll, compileStatement, evaluateAll } from './compile.js';
export type {
  CompiledStatement,
  Execution,
  ExecutionContext,
  Step,
} from './execution.js';
export { RowBuffer, rowBufferShape } from './row-buffer.js';
export type { SpillFile, SpillFiles } from './spill.js';
export type { ConstraintName, DeferredCheck, Deferral } from './statement-end.js';
export { takeNumber, withinBounds } from './sequence.js';
export {
  buildIndex,
  validateCheck,
  validateForeignKey,
  validateNotNull,
  validatePartition,
} from './validate.js';
