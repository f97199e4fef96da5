/** What a pattern says, after its text has been read. */
import type { CharacterSet } from './character-set.js';

/** How a pattern is read and what its parts mean. */
export interface PatternOptions {
  /** `literal`: characters for themselves; `extended`: POSIX without escapes; `advanced`: PostgreSQL's. */
  readonly form: 'advanced' | 'extended' | 'literal';
  readonly ignoreCase: boolean;
  /** `.` and `[^x]` do not match a newline. */
  readonly newlineStops: boolean;
  /** `^` and `$` match at newlines too. */
  readonly newlineAnchors: boolean;
  /** White space and comments in the pattern mean nothing. */
  readonly expanded: boolean;
}

/** What holds at a place between two characters. */
export type Condition = 'lineStart' | 'lineEnd' | 'textStart' | 'textEnd' | WordCondition;

export type WordCondition = 'wordStart' | 'wordEnd' | 'wordBoundary' | 'noWordBoundary';

export type Preference = 'longest' | 'shortest';

export type SyntaxNode =
  | { readonly kind: 'characters'; readonly set: CharacterSet }
  | { readonly kind: 'condition'; readonly condition: Condition }
  | Look
  | { readonly kind: 'group'; readonly capture: number | undefined; readonly body: Alternatives }
  | { readonly kind: 'backReference'; readonly group: number }
  | Repeat;

/** A lookahead or lookbehind constraint. */
export interface Look {
  readonly kind: 'look';
  readonly ahead: boolean;
  readonly negated: boolean;
  readonly body: Alternatives;
}

export interface Repeat {
  readonly kind: 'repeat';
  readonly body: SyntaxNode;
  readonly min: number;
  /** Infinity without a bound. */
  readonly max: number;
  /** Undefined for `{m}`, which passes on what its operand prefers. */
  readonly prefers: Preference | undefined;
}

export type Sequence = readonly SyntaxNode[];

export interface Alternatives {
  readonly branches: readonly Sequence[];
}

export interface Pattern {
  readonly body: Alternatives;
  readonly options: PatternOptions;
  /** Capturing parentheses by number; the first stands at 1. */
  readonly groups: ReadonlyMap<number, Alternatives>;
  readonly groupCount: number;
  readonly hasBackReferences: boolean;
}
