/**
 * Syntax trees on their way to another thread: as JSON in pieces that each take a turn to read. Long
 * lists are cut out of the tree, and their elements follow it.
 */
import { must } from '../../base/assert.js';
import type { ParseResult } from './ast.js';
import type { ParseLimits } from './limits.js';
import { parseTree } from './parse.js';

/** Lists of so many elements are cut out of the tree. */
const longList = 64;

/** Characters after which a piece ends; a single element may be longer. */
const pieceCharacters = 65_536;

/** Where a value lies: its key in its parent, and so up to the root. */
interface Place {
  readonly key: string | number;
  readonly parent: Place | undefined;
}

/** A list that was cut out. */
interface Cut {
  readonly place: Place | undefined;
  readonly elements: readonly unknown[];
}

/** Elements of the list under `path`; the root of the tree when there is no path. */
type Piece = readonly [path: readonly (string | number)[] | null, values: readonly unknown[]];

/** Parses, and gives the tree in pieces for {@link PieceReader}. Raises what `parse` raises. */
export function parsePieces(text: string, limits: ParseLimits): string[] {
  const tree = parseTree(text, limits);
  const cuts = cutLongLists(tree);
  const pieces = [`[null,[${JSON.stringify(tree)}]]`];
  for (const { place, elements } of cuts) {
    const head = `[${JSON.stringify(pathOf(place))},[`;
    let values: string[] = [];
    let length = 0;
    for (const element of elements) {
      const value = JSON.stringify(element);
      values.push(value);
      length += value.length;
      if (length < pieceCharacters) continue;
      pieces.push(`${head}${values.join()}]]`);
      values = [];
      length = 0;
    }
    if (values.length > 0) pieces.push(`${head}${values.join()}]]`);
  }
  return pieces;
}

/** Empties the long lists of the tree; outer ones come before those within their elements. */
function cutLongLists(tree: ParseResult): Cut[] {
  const cuts: Cut[] = [];
  const open: { readonly value: object; readonly place: Place | undefined }[] = [];
  const visit = (value: unknown, place: Place | undefined): void => {
    if (typeof value === 'object' && value !== null) open.push({ value, place });
  };
  visit(tree, undefined);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, place } = next;
    if (!Array.isArray(value)) {
      for (const [key, member] of Object.entries(value)) visit(member, { key, parent: place });
      continue;
    }
    const elements: unknown[] = value.length < longList ? value : value.splice(0);
    if (elements !== value) cuts.push({ place, elements });
    for (const [i, element] of elements.entries()) visit(element, { key: i, parent: place });
  }
  return cuts;
}

function pathOf(place: Place | undefined): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at = place; at !== undefined; at = at.parent) path.push(at.key);
  return path.reverse();
}

/** Puts a tree together again. */
export class PieceReader {
  #tree: ParseResult | undefined;

  get tree(): ParseResult {
    return must(this.#tree, 'a tree has a first piece');
  }

  add(piece: string): void {
    const [path, values] = JSON.parse(piece) as Piece;
    if (path === null) {
      this.#tree = values[0] as ParseResult;
      return;
    }
    let list: unknown = this.tree;
    for (const key of path) list = (list as Readonly<Record<string | number, unknown>>)[key];
    for (const value of values) (list as unknown[]).push(value);
  }
}
