/**
 * Parsing: from a client's text to PostgreSQL's syntax tree, by PostgreSQL's own grammar.
 *
 * Guarantees: texts that are too long, nest too deeply or are not Unicode are refused before the
 * parser sees them; every error has a position in characters; what a reader of the tree does not
 * handle fails by name ({@link fields}).
 *
 * Must not know: names, types, tables or sessions.
 */
export * as ast from './ast.js';
export { as, kindOf, locationOf, the, stringOf, stringsOf } from './ast.js';
export {
  bracketedText,
  columnReferenceEnds,
  expressionAround,
  expressionText,
  indexElementTexts,
  textBehind,
  viewQueryText,
} from './expression-text.js';
export { kindConstruct } from './constructs.js';
export { fields, nodeNotSupported, notSupported } from './fields.js';
export { checkLength, tooDeep } from './limits.js';
export type { ParseLimits } from './limits.js';
export { parse, parseExpression, raiseAt, Source, statementsOf } from './parse.js';
export type { ParsedStatement } from './parse.js';
export { longNames } from './long-names.js';
export { parsePieces, PieceReader } from './pieces.js';
