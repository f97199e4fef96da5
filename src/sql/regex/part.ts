/**
 * A pattern as parts that say how a match is divided among its groups, each with its piece of the
 * program: parseqatom() of src/backend/regex/regcomp.c. What no group or preference can tell apart is
 * one plain part.
 */
import { must, unreachable } from '../../base/assert.js';
import { failPattern } from './failure.js';
import { type Program, ProgramDraft } from './program.js';
import type { Alternatives, Pattern, Preference, Repeat, Sequence, SyntaxNode } from './syntax.js';

/** What a part prefers and holds. */
interface Traits {
  readonly prefers: Preference | undefined;
  /** Both preferences are somewhere within. */
  readonly mixed: boolean;
  readonly captures: boolean;
  readonly references: boolean;
}

export type Part = PartBase &
  (
    | { readonly kind: 'plain' }
    /** The first part takes as much, or as little, as lets the others match. */
    | { readonly kind: 'sequence'; readonly parts: readonly Part[] }
    /** The first that matches. */
    | { readonly kind: 'alternatives'; readonly parts: readonly Part[] }
    | {
        readonly kind: 'iteration';
        readonly body: Part;
        readonly min: number;
        readonly max: number;
      }
    | {
        readonly kind: 'reference';
        readonly group: number;
        readonly min: number;
        readonly max: number;
      }
  );

interface PartBase {
  readonly from: number;
  readonly to: number;
  readonly traits: Traits;
  /** Groups that are set to where this part matched. */
  readonly captures: readonly number[];
  /** Groups of this part and of all within. */
  readonly groups: readonly number[];
}

export interface CompiledPattern {
  readonly program: Program;
  readonly root: Part;
  readonly groupCount: number;
  readonly ignoreCase: boolean;
}

const none: Traits = { prefers: undefined, mixed: false, captures: false, references: false };

/** Parts in a row that one pattern with back references may have: trying them nests. */
const partsWithReferencesMax = 1000;

export function compilePattern(pattern: Pattern): CompiledPattern {
  const builder = new Builder(pattern);
  const root = builder.alternatives(pattern.body, builder.draft.state(), builder.draft.state());
  return {
    program: builder.draft.finish(),
    root,
    groupCount: pattern.groupCount,
    ignoreCase: pattern.options.ignoreCase,
  };
}

/** The first preference counts. */
function combine(a: Traits, b: Traits): Traits {
  const clash = a.prefers !== undefined && b.prefers !== undefined && a.prefers !== b.prefers;
  return {
    prefers: a.prefers ?? b.prefers,
    mixed: a.mixed || b.mixed || clash,
    captures: a.captures || b.captures,
    references: a.references || b.references,
  };
}

function isMessy({ mixed, captures, references }: Traits): boolean {
  return mixed || captures || references;
}

/** An item of a branch with how often it comes. */
interface Quantified {
  readonly atom: SyntaxNode;
  readonly min: number;
  readonly max: number;
  readonly prefers: Preference | undefined;
}

class Builder {
  readonly draft = new ProgramDraft();
  readonly #pattern: Pattern;
  readonly #traits = new Map<object, Traits>();
  #partCount = 0;

  constructor(pattern: Pattern) {
    this.#pattern = pattern;
  }

  alternatives({ branches }: Alternatives, from: number, to: number): Part {
    const parts = branches.map((branch) => {
      const [start, end] = [this.draft.state(), this.draft.state()];
      this.draft.empty(from, start);
      this.draft.empty(end, to);
      return this.#branch(branch, start, end);
    });
    const [only] = parts;
    if (parts.length === 1) return { ...must(only, 'a branch'), from, to };
    const longest: Traits = { ...none, prefers: 'longest' };
    const traits = parts.reduce((all, part) => combine(all, part.traits), longest);
    const base = { from, to, traits, captures: [], groups: parts.flatMap((part) => part.groups) };
    return isMessy(traits) ? { kind: 'alternatives', parts, ...base } : { kind: 'plain', ...base };
  }

  #branch(items: Sequence, from: number, to: number): Part {
    const parts: Part[] = [];
    let at = from;
    let run: Traits = none;
    /** Where the plain items that have gathered begin; undefined without any. */
    let runStart: number | undefined;
    const endRun = () => {
      if (runStart !== undefined) parts.push(plainPart(runStart, at, run));
      runStart = undefined;
      run = none;
    };
    for (const item of items) {
      const quantified = quantifiedOf(item);
      if (quantified.max === 0) continue;
      const together = combine(run, this.#traitsOf(item));
      const next = this.draft.state();
      if (!isGroupOrReference(quantified.atom) && !isMessy(together)) {
        runStart ??= at;
        this.#plain(item, at, next, false);
        run = together;
      } else {
        endRun();
        const start = this.draft.state();
        this.draft.empty(at, start);
        parts.push(this.#messy(quantified, start, next));
      }
      at = next;
    }
    endRun();
    this.draft.empty(at, to);
    return this.#row(parts, from, to);
  }

  #row(parts: readonly Part[], from: number, to: number): Part {
    const [first] = parts;
    if (first === undefined) return plainPart(from, to, none);
    if (parts.length === 1) return { ...first, from, to };
    this.#partCount += parts.length;
    if (this.#pattern.hasBackReferences && this.#partCount > partsWithReferencesMax) {
      failPattern('tooComplex');
    }
    const traits = parts.reduce((all, part) => combine(all, part.traits), none);
    const groups = parts.flatMap((part) => part.groups);
    return { kind: 'sequence', parts, from, to, traits, captures: [], groups };
  }

  /** An item that holds groups or back references, or prefers otherwise than what is before it. */
  #messy(item: Quantified, from: number, to: number): Part {
    const { atom, min, max, prefers } = item;
    const inner = this.#traitsOf(atom);
    const traits = combine({ ...none, prefers }, inner);
    if (atom.kind === 'backReference') {
      this.#repeat(atom, from, to, min, max, false);
      const { group } = atom;
      return { kind: 'reference', group, min, max, from, to, traits, captures: [], groups: [] };
    }
    const agrees =
      prefers === undefined ||
      (!inner.mixed && (inner.prefers === undefined || inner.prefers === prefers));
    if (min === 1 && max === 1 && agrees) return this.#atom(atom, from, to);
    if (!inner.captures && !inner.references) {
      this.#repeat(atom, from, to, min, max, false);
      return plainPart(from, to, traits);
    }
    if (min > 0 && !inner.references) {
      // Only the last time shows in the groups, so all before it are one plain part.
      const middle = this.draft.state();
      this.#repeat(atom, from, middle, min - 1, max - 1, false);
      const last = this.#atom(atom, middle, to);
      const before = plainPart(from, middle, { ...none, prefers: traits.prefers });
      const parts = [before, last];
      return { kind: 'sequence', parts, from, to, traits, captures: [], groups: last.groups };
    }
    this.#repeat(atom, from, to, min, max, false);
    const body = this.#atom(atom, this.draft.state(), this.draft.state());
    return {
      kind: 'iteration',
      body,
      min,
      max,
      from,
      to,
      traits,
      captures: [],
      groups: body.groups,
    };
  }

  #atom(atom: SyntaxNode, from: number, to: number): Part {
    if (atom.kind !== 'group') {
      this.#plain(atom, from, to, false);
      return plainPart(from, to, this.#traitsOf(atom));
    }
    const body = this.alternatives(atom.body, from, to);
    if (atom.capture === undefined) return body;
    return {
      ...body,
      traits: { ...body.traits, captures: true },
      captures: [...body.captures, atom.capture],
      groups: [...body.groups, atom.capture],
    };
  }

  #traitsOf(node: SyntaxNode): Traits {
    const known = this.#traits.get(node);
    if (known !== undefined) return known;
    const made = this.#makeTraits(node);
    this.#traits.set(node, made);
    return made;
  }

  #makeTraits(node: SyntaxNode): Traits {
    switch (node.kind) {
      case 'characters':
      case 'condition':
      case 'look':
        return none;
      case 'backReference':
        return { ...none, references: true };
      case 'repeat':
        if (node.max === 0) return none;
        return combine({ ...none, prefers: node.prefers }, this.#traitsOf(node.body));
      case 'group': {
        const { branches } = node.body;
        const start: Traits = branches.length > 1 ? { ...none, prefers: 'longest' } : none;
        const all = branches
          .flat()
          .reduce((sum, item) => combine(sum, this.#traitsOf(item)), start);
        return node.capture === undefined ? all : { ...all, captures: true };
      }
    }
  }

  /**
   * The arcs of an item, without parts. `lenient` makes what a back reference may match: the group
   * again, whatever its conditions, since they held elsewhere.
   */
  #plain(node: SyntaxNode, from: number, to: number, lenient: boolean): void {
    switch (node.kind) {
      case 'characters':
        this.draft.characters(from, to, node.set);
        return;
      case 'condition':
        if (lenient) this.draft.empty(from, to);
        else this.draft.condition(from, to, node.condition);
        return;
      case 'look': {
        if (lenient) {
          this.draft.empty(from, to);
          return;
        }
        const [start, end] = [this.draft.state(), this.draft.state()];
        this.#plainAlternatives(node.body, start, end, false);
        const { ahead, negated } = node;
        this.draft.lookArc(from, to, this.draft.look({ ahead, negated, from: start, to: end }));
        return;
      }
      case 'group':
        this.#plainAlternatives(node.body, from, to, lenient);
        return;
      case 'backReference': {
        const group = must(this.#pattern.groups.get(node.group), 'a group that was closed');
        this.#plainAlternatives(group, from, to, true);
        return;
      }
      case 'repeat':
        this.#repeat(node.body, from, to, node.min, node.max, lenient);
        return;
      default:
        unreachable(node);
    }
  }

  #plainAlternatives({ branches }: Alternatives, from: number, to: number, lenient: boolean): void {
    for (const branch of branches) {
      let at = this.draft.state();
      this.draft.empty(from, at);
      for (const item of branch) {
        const next = this.draft.state();
        this.#plain(item, at, next, lenient);
        at = next;
      }
      this.draft.empty(at, to);
    }
  }

  #repeat(
    atom: SyntaxNode,
    from: number,
    to: number,
    min: number,
    max: number,
    lenient: boolean,
  ): void {
    let at = this.draft.state();
    this.draft.empty(from, at);
    for (let i = 0; i < min; i += 1) {
      const next = this.draft.state();
      this.#plain(atom, at, next, lenient);
      at = next;
    }
    if (max === Number.POSITIVE_INFINITY) {
      const [start, end] = [this.draft.state(), this.draft.state()];
      this.draft.empty(at, start);
      this.#plain(atom, start, end, lenient);
      this.draft.empty(end, start);
      this.draft.empty(start, to);
      return;
    }
    for (let i = min; i < max; i += 1) {
      const next = this.draft.state();
      this.#plain(atom, at, next, lenient);
      this.draft.empty(at, to);
      at = next;
    }
    this.draft.empty(at, to);
  }
}

function plainPart(from: number, to: number, traits: Traits): Part {
  return { kind: 'plain', from, to, traits, captures: [], groups: [] };
}

function quantifiedOf(item: SyntaxNode): Quantified {
  if (item.kind !== 'repeat') return { atom: item, min: 1, max: 1, prefers: undefined };
  const { body: atom, min, max, prefers }: Repeat = item;
  return { atom, min, max, prefers };
}

function isGroupOrReference(atom: SyntaxNode): boolean {
  if (atom.kind === 'group') return atom.capture !== undefined;
  return atom.kind === 'backReference';
}
