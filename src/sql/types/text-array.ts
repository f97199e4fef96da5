/** A value of type text[], of one dimension: the paths of json and jsonb. */
export class TextArray {
  readonly elements: readonly (string | null)[];

  constructor(elements: readonly (string | null)[]) {
    this.elements = elements;
  }
}
