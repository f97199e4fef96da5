/**
 * jsonpath: a path of SQL/JSON as a tree, and how PostgreSQL prints it (jsonpath.c). A step holds the
 * step behind it in `next`.
 */
import type { Numeric } from './numeric.js';

export type PathComparison = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type PathArithmetic = '+' | '-' | '*' | '/' | '%';
export type PathMethod = 'type' | 'size' | 'double' | 'ceiling' | 'floor' | 'abs' | 'keyvalue';

/** Levels of `**`; undefined is `last`. */
export type PathLevel = number | undefined;

export type PathItem = { readonly next: PathItem | undefined } & (
  | { readonly kind: 'root' | 'current' | 'last' | 'anyKey' | 'anyArray' }
  | { readonly kind: 'literal'; readonly value: null | boolean | string | Numeric }
  | { readonly kind: 'variable' | 'key'; readonly name: string }
  | { readonly kind: 'any'; readonly from: PathLevel; readonly to: PathLevel }
  | {
      readonly kind: 'subscripts';
      readonly ranges: readonly { readonly from: PathItem; readonly to: PathItem | undefined }[];
    }
  | { readonly kind: 'method'; readonly name: PathMethod }
  | { readonly kind: 'datetime'; readonly template: string | undefined }
  | { readonly kind: 'filter' | 'not' | 'isUnknown' | 'exists'; readonly operand: PathItem }
  | { readonly kind: 'and' | 'or'; readonly left: PathItem; readonly right: PathItem }
  | {
      readonly kind: 'compare';
      readonly operator: PathComparison;
      readonly left: PathItem;
      readonly right: PathItem;
    }
  | {
      readonly kind: 'arithmetic';
      readonly operator: PathArithmetic;
      readonly left: PathItem;
      readonly right: PathItem;
    }
  | { readonly kind: 'sign'; readonly negative: boolean; readonly operand: PathItem }
  | { readonly kind: 'startsWith'; readonly left: PathItem; readonly right: PathItem }
  | {
      readonly kind: 'likeRegex';
      readonly operand: PathItem;
      readonly pattern: string;
      /** Of `i`, `s`, `m`, `x`, `q`, in this order, each once. */
      readonly flags: string;
    }
);

/** A value of type jsonpath. */
export class JsonPath {
  readonly lax: boolean;
  readonly root: PathItem;

  constructor(lax: boolean, root: PathItem) {
    this.lax = lax;
    this.root = root;
  }
}

export function printPath(path: JsonPath): string {
  return `${path.lax ? '' : 'strict '}${printItem(path.root, false, true)}`;
}

function priority(item: PathItem): number {
  switch (item.kind) {
    case 'or':
      return 0;
    case 'and':
      return 1;
    case 'compare':
    case 'startsWith':
      return 2;
    case 'arithmetic':
      return item.operator === '+' || item.operator === '-' ? 3 : 4;
    case 'sign':
      return 5;
    default:
      return 6;
  }
}

function printItem(item: PathItem, inKey: boolean, brackets: boolean): string {
  const next = item.next === undefined ? '' : printItem(item.next, true, true);
  return printStep(item, inKey, brackets) + next;
}

function printStep(item: PathItem, inKey: boolean, brackets: boolean): string {
  const dot = inKey ? '.' : '';
  switch (item.kind) {
    case 'root':
      return '$';
    case 'current':
      return '@';
    case 'last':
      return 'last';
    case 'anyKey':
      return `${dot}*`;
    case 'anyArray':
      return '[*]';
    case 'literal':
      return printLiteral(item);
    case 'variable':
      return `$${JSON.stringify(item.name)}`;
    case 'key':
      return dot + JSON.stringify(item.name);
    case 'any':
      return dot + printLevels(item.from, item.to);
    case 'subscripts':
      return `[${item.ranges.map(({ from, to }) => printRange(from, to)).join(',')}]`;
    case 'method':
      return `.${item.name}()`;
    case 'datetime':
      return `.datetime(${item.template === undefined ? '' : JSON.stringify(item.template)})`;
    case 'filter':
      return `?(${printItem(item.operand, false, false)})`;
    case 'not':
      return `!(${printItem(item.operand, false, false)})`;
    case 'isUnknown':
      return `(${printItem(item.operand, false, false)}) is unknown`;
    case 'exists':
      return `exists (${printItem(item.operand, false, false)})`;
    case 'sign':
      return bracketed(`${item.negative ? '-' : '+'}${printOperand(item, item.operand)}`, brackets);
    case 'likeRegex': {
      const flags = item.flags === '' ? '' : ` flag "${item.flags}"`;
      const text = `${printOperand(item, item.operand)} like_regex ${JSON.stringify(item.pattern)}${flags}`;
      return bracketed(text, brackets);
    }
    default:
      return bracketed(
        `${printOperand(item, item.left)} ${operatorOf(item)} ${printOperand(item, item.right)}`,
        brackets,
      );
  }
}

function operatorOf(item: Extract<PathItem, { readonly left: PathItem }>): string {
  switch (item.kind) {
    case 'and':
      return '&&';
    case 'or':
      return '||';
    case 'startsWith':
      return 'starts with';
    default:
      return item.operator;
  }
}

function bracketed(text: string, brackets: boolean): string {
  return brackets ? `(${text})` : text;
}

function printOperand(parent: PathItem, operand: PathItem): string {
  return printItem(operand, false, priority(operand) <= priority(parent));
}

function printRange(from: PathItem, to: PathItem | undefined): string {
  const first = printItem(from, false, false);
  return to === undefined ? first : `${first} to ${printItem(to, false, false)}`;
}

function printLiteral({ value, next }: Extract<PathItem, { kind: 'literal' }>): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (value === null || typeof value === 'boolean') return String(value);
  return next === undefined ? value.toString() : `(${value.toString()})`;
}

function printLevels(from: PathLevel, to: PathLevel): string {
  if (from === 0 && to === undefined) return '**';
  if (from === to) return `**{${from ?? 'last'}}`;
  return `**{${from ?? 'last'} to ${to ?? 'last'}}`;
}
