/**
 * The syntax tree as PostgreSQL's own grammar makes it (libpg-query): a node is an object whose only
 * key is its kind, absent fields are zero, `location` is a UTF-8 byte offset into the whole text.
 */
import type { Node } from 'libpg-query';
import { must, unreachable } from '../../base/assert.js';

export type * from 'libpg-query';

type KeysOfUnion<T> = T extends unknown ? keyof T : never;
/** The kinds of nodes, such as `SelectStmt`. */
export type NodeKind = KeysOfUnion<Node>;
/**
 * All kinds of nodes as one object. TypeScript never ends on Extract over a union of 270, nor on the
 * keys of their intersection: an interface resolves its members once.
 */
interface NodeFields extends Intersected<Node> {}
type Intersected<U> = (U extends unknown ? (member: U) => void : never) extends (
  all: infer I,
) => void
  ? I
  : never;
/** The fields of a kind of node. */
export type NodeOf<K extends NodeKind> = NodeFields[K & keyof NodeFields];

export function kindOf(node: Node): NodeKind {
  for (const kind in node) return kind as NodeKind;
  return unreachable(node as never);
}

/** The fields of `node` if it is of `kind`. */
export function as<K extends NodeKind>(node: Node | undefined, kind: K): NodeOf<K> | undefined {
  return (node as Record<string, unknown> | undefined)?.[kind] as NodeOf<K> | undefined;
}

/** The fields of `node`, which the grammar says is of `kind`. */
export function the<K extends NodeKind>(node: Node | undefined, kind: K): NodeOf<K> {
  return must(as(node, kind), `the grammar gives a ${kind}`);
}

/** The text of a String node. */
export function stringOf(node: Node | undefined): string {
  return the(node, 'String').sval ?? '';
}

/** Dotted names, such as those of functions and types. */
export function stringsOf(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).map(stringOf);
}

/** The byte offset where a node begins, undefined when the grammar does not say. */
export function locationOf(body: { readonly location?: number }): number | undefined {
  const location = body.location ?? 0;
  return location < 0 ? undefined : location;
}
