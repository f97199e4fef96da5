/** Rights that a statement needs, as the binder finds them. */
import type { ObjectId } from '../../base/ids.js';
import type { PredefinedRole } from '../catalogue/index.js';

/** Rights on a relation that the statement names, or that a view in it names. */
export interface RelationNeed {
  readonly kind: 'relation';
  readonly object: ObjectId;
  /** Whose rights count: those of a view's owner; undefined: of whoever runs the statement. */
  readonly as: ObjectId | undefined;
  /** On the whole relation, or on all of the columns that the right is about. */
  readonly rights: number;
  /** Positions of columns; none of them: any column will do. */
  readonly selected: readonly number[];
  readonly inserted: readonly number[];
  readonly updated: readonly number[];
}

export type Need =
  | RelationNeed
  /** EXECUTE. */
  | { readonly kind: 'function'; readonly object: ObjectId; readonly as: ObjectId | undefined }
  /** A number of a sequence is taken: USAGE or UPDATE. */
  | { readonly kind: 'sequence'; readonly object: ObjectId; readonly as: ObjectId | undefined }
  /** The role has the privileges of a predefined one; without a role it is a superuser. */
  | {
      readonly kind: 'role';
      readonly role: PredefinedRole | undefined;
      readonly text: string;
      readonly detail?: string;
      readonly hint?: string;
    };
