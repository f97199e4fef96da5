/** What printing expressions needs, and small parts of it. */
import type { ast } from '../parse/index.js';
import type { Expression } from '../plan/expression.js';
import { type FunctionContext, typeNamed } from '../types/index.js';
import type { Shape } from './shape.js';
import type { ColumnName, Witness } from './witness.js';

/** How an expression prints, and what it looks like from outside. */
export interface Shown {
  readonly text: string;
  readonly shape: Shape;
}

/** What printing needs beside the tree. */
export interface Printing {
  readonly witness: Witness;
  readonly functions: FunctionContext;
  /** Leaves out parentheses that are not needed. */
  readonly pretty: boolean;
  /** Columns are written with their relation. */
  readonly qualified: boolean;
  typeText(name: string, modifier: number): string;
  /** A column as it is called now. */
  current(column: ColumnName): ColumnName;
  /** Columns that a new line begins with. */
  indent(): number;
  /** A query within. */
  query(query: ast.SelectStmt): string;
}

/** Where a line ends; blanks before it fall away. No text has this character. */
export const lineMark = '\u0000';

/** The text with its lines. */
export function withLines(text: string): string {
  const lines = text.split(lineMark);
  return lines.map((line, i) => (i === lines.length - 1 ? line : line.trimEnd())).join('\n');
}

/** What cannot be printed so is given as it was written. */
export class Unprintable extends Error {}

export function present(node: ast.Node | undefined): ast.Node {
  if (node === undefined) throw new Unprintable('a part that is not there');
  return node;
}

/** Without a collation of its own. */
export function plainType(name: string): string {
  const { form } = typeNamed(name);
  return form?.kind === 'collated' ? form.base : name;
}

export function sameType(a: Expression, b: Expression): boolean {
  return plainType(a.type.name) === plainType(b.type.name);
}
