/**
 * Compares what the replicas hold, piece by piece of the key space: the first that keeps data says at which
 * commit it is and where the piece ends, and the others hash the same. When an operator asks, at once; and
 * by the leader at intervals, with pauses. Every value is read for it, so its checksums are verified too.
 */
import type { NodeId, Timestamp } from '../base/ids.js';
import type { AdminValue } from '../sql/session/protocol.js';
import type { Gathering, Reports } from './gathering.js';
import type { ClusterSeries } from './metrics.js';
import type { Pending } from './pending.js';
import { objectOf } from './status.js';
import type { Turn, View } from './view.js';

/** What one node had to say in a check. */
interface Found {
  rows: number;
  /** Pieces in which it holds something else than most. */
  differs: number;
  /** Why it did not answer to the end; null when it did. */
  refusal: string | null;
  damaged: boolean;
}

interface Pass {
  readonly pauseMs: number;
  readonly done: (value: AdminValue, context: Turn) => void;
  readonly found: ReadonlyMap<NodeId, Found>;
  readonly differences: AdminValue[];
  /** Those that have answered so far. */
  answering: readonly NodeId[];
  /** Where the next piece begins, in hex. */
  start: string;
  pieces: number;
}

/** What a replica found in a piece. */
interface Piece {
  readonly at: Timestamp;
  readonly hash: string;
  readonly rows: number;
  /** In hex; undefined at the end of the key space. */
  readonly end: string | undefined;
}

/** Pieces that differ and are shown. */
const differencesMax = 8;

export class Checks {
  readonly #view: View;
  readonly #pending: Pending;
  readonly #gathering: Gathering;
  readonly #series: ClusterSeries;
  /** A regular check is under way. */
  #busy = false;

  constructor(view: View, pending: Pending, gathering: Gathering, series: ClusterSeries) {
    this.#view = view;
    this.#pending = pending;
    this.#gathering = gathering;
    this.#series = series;
  }

  /** It is time for a regular check; only the leader makes one. */
  onDue(context: Turn): void {
    if (!this.#view.leads) {
      // What this node found is for the new leader to find again.
      this.#series.differ.value = 0;
      return;
    }
    if (this.#busy) return;
    this.#busy = true;
    this.run(this.#view.limits.checkPauseMs, context, () => {
      this.#busy = false;
    });
  }

  /** Checks all replicas that keep data, with a pause after each piece. */
  run(pauseMs: number, context: Turn, done: Pass['done']): void {
    const { configuration, alive, node: self } = this.#view;
    const { voters = [], learners = [], witnesses = [] } = configuration ?? {};
    const members = [...voters, ...learners].filter((node) => !witnesses.includes(node));
    const found = new Map<NodeId, Found>();
    for (const node of members) {
      const refusal = alive.has(node) ? null : 'it is down';
      found.set(node, { rows: 0, differs: 0, refusal, damaged: false });
    }
    const living = members.filter((node) => alive.has(node));
    const answering = [...living].sort((a, b) => Number(b === self) - Number(a === self));
    this.#next({ pauseMs, done, found, differences: [], answering, start: '', pieces: 0 }, context);
  }

  #next(pass: Pass, context: Turn): void {
    const [first, ...others] = pass.answering;
    if (first === undefined) {
      this.#end(pass, context);
      return;
    }
    const { start } = pass;
    const question = { about: 'hash', at: undefined, start, end: undefined } as const;
    this.#gathering.ask(first, question, context, (report, turn) => {
      const piece = pieceOf(report);
      if (piece === undefined || (piece.end !== undefined && piece.end <= start)) {
        drop(pass, first, report);
        this.#next(pass, turn);
        return;
      }
      const { at, end } = piece;
      const same = { about: 'hash', at, start, end } as const;
      this.#gathering.askAll(others, same, turn, (reports, later) => {
        for (const node of others) {
          if (pieceOf(reports.get(node)) === undefined) drop(pass, node, reports.get(node));
        }
        compare(pass, new Map([[first, report ?? null], ...reports]), end);
        this.#goOn(pass, end, later);
      });
    });
  }

  #goOn(pass: Pass, end: string | undefined, context: Turn): void {
    pass.pieces += 1;
    if (end === undefined) {
      this.#end(pass, context);
      return;
    }
    pass.start = end;
    if (pass.pauseMs === 0) this.#next(pass, context);
    else this.#pending.ask(context.nowMs + pass.pauseMs, (_, later) => this.#next(pass, later));
  }

  #end({ found, differences, pieces, done }: Pass, context: Turn): void {
    const nodes = [...found].map(([node, each]) => ({ node, ...each }));
    const damaged = nodes.some((each) => each.damaged);
    const equal = nodes.length > 0 && pieces > 0 && differences.length === 0 && !damaged;
    const complete = equal && nodes.every(({ refusal }) => refusal === null);
    const value = { equal, complete, pieces, nodes, differences };
    const result =
      differences.length > 0
        ? 'different'
        : damaged
          ? 'damaged'
          : complete
            ? 'equal'
            : 'incomplete';
    this.#series.checked(result);
    this.#view.check = { atMs: context.nowMs, value };
    context.probe(`cluster.checked.${result}`);
    if (result === 'different') context.log('error', 'cluster.replicasDiffer', value);
    else if (result === 'damaged') context.log('error', 'cluster.damaged', value);
    else context.log('info', 'cluster.checked', { result, pieces, rows: nodes[0]?.rows ?? 0 });
    done(value, context);
  }
}

/** Takes what all have found in a piece; those that hold something else than a majority of them differ. */
function compare(pass: Pass, reports: Reports, end: string | undefined): void {
  const pieces = [...reports].flatMap(([node, report]) => {
    const piece = pieceOf(report);
    return piece === undefined ? [] : [{ node, hash: piece.hash, rows: piece.rows }];
  });
  const holders = (hash: string): number => pieces.filter((piece) => piece.hash === hash).length;
  const differ = pieces.filter(({ hash }) => holders(hash) * 2 <= pieces.length);
  for (const { node, rows } of pieces) {
    const found = pass.found.get(node);
    if (found !== undefined) found.rows += rows;
  }
  if (pieces.length < 2 || differ.length === 0) return;
  for (const { node } of differ) {
    const found = pass.found.get(node);
    if (found !== undefined) found.differs += 1;
  }
  if (pass.differences.length >= differencesMax) return;
  pass.differences.push({ start: pass.start, end: end ?? null, nodes: pieces });
}

/** It is asked no more in this check. */
function drop(pass: Pass, node: NodeId, report: AdminValue | undefined): void {
  pass.answering = pass.answering.filter((each) => each !== node);
  const found = pass.found.get(node);
  if (found === undefined) return;
  const { refusal, damaged } = objectOf(report);
  found.refusal = typeof refusal === 'string' ? refusal : 'it did not answer in time';
  found.damaged = damaged === true;
}

/** What a node has reported; undefined when it refused, or is no good. */
function pieceOf(report: AdminValue | undefined): Piece | undefined {
  const { at, hash, rows, end } = objectOf(report);
  if (typeof at !== 'number' || typeof hash !== 'string' || typeof rows !== 'number')
    return undefined;
  if (end !== null && typeof end !== 'string') return undefined;
  return { at: at as Timestamp, hash, rows, end: end ?? undefined };
}
