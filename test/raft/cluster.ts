/** The members of a golden script: nothing moves, flushes or arrives unless the script says so. */
import { must } from '#src/base/assert.js';
import type { LogIndex, NodeId, Term, Timestamp, TransactionId } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import type { RaftFlow, RaftMessage, RaftRules, RaftTiming, Ready } from '#src/raft/index.js';
import { CoreMember, type MemberSettings, type Surroundings } from '#src/sim/index.js';
import type { Configuration, LogEntry } from '#src/storage/index.js';
import { printMessage, printReady } from './print.js';

const nobody: Configuration = { voters: [], outgoing: [], learners: [], witnesses: [] };

export interface ClusterSettings {
  readonly configuration: Configuration;
  readonly timing: RaftTiming;
  readonly flow: RaftFlow;
  readonly rules: RaftRules | undefined;
  /** Nodes that belong to nobody yet. */
  readonly spares: readonly NodeId[];
  /** Batches are flushed when the script says so. */
  readonly manualDisk: boolean;
  readonly manualApply: boolean;
}

export class ScriptCluster implements Surroundings {
  readonly members = new Map<NodeId, CoreMember>();
  /** On their way, oldest first. */
  messages: RaftMessage[] = [];
  clockMs = 0;
  readonly #settings: ClusterSettings;
  readonly #lines: string[] = [];
  readonly #roles = new Map<NodeId, string>();
  #groups: readonly (readonly NodeId[])[] = [];

  constructor(settings: ClusterSettings) {
    this.#settings = settings;
    const { configuration, spares, timing, flow, rules } = settings;
    const { voters, learners } = configuration;
    for (const id of [...voters, ...learners, ...spares]) {
      const first = spares.includes(id) ? nobody : configuration;
      const own: MemberSettings = { configuration: first, timing, flow, rules };
      this.members.set(id, new CoreMember(id, own, new Random(id), this));
    }
  }

  member(id: number): CoreMember {
    return must(this.members.get(id as NodeId), `no member ${id}`);
  }

  /** Those that run. */
  get running(): readonly CoreMember[] {
    return [...this.members.values()].filter(({ node }) => node !== undefined);
  }

  take(): string {
    return this.#lines.splice(0).join('\n');
  }

  say(line: string): void {
    this.#lines.push(line);
  }

  start(id: number): void {
    const member = this.member(id);
    member.start();
    this.#roles.set(member.id, 'follower');
  }

  /** Puts a log on a member's disk before it starts: an entry per term. */
  give(id: number, terms: readonly number[], term: number, applied: number): void {
    const { disk } = this.member(id);
    const entries = terms.map((entryTerm, at) => written(entryTerm as Term, (at + 1) as LogIndex));
    disk.append({ term: term as Term, vote: undefined }, entries);
    disk.flush();
    if (applied > 0) {
      disk.writeStateLater({ index: applied as LogIndex, values: new Map() });
      disk.flushLater();
    }
  }

  partition(groups: readonly (readonly NodeId[])[]): void {
    this.#groups = groups;
  }

  /** Delivers messages that `picks`, and those that follow from it, until there are none. */
  deliver(picks: (message: RaftMessage) => boolean, count: number, quiet: boolean): void {
    for (let left = count; left > 0; left -= 1) {
      const at = this.messages.findIndex(picks);
      if (at < 0) return;
      const [message] = this.messages.splice(at, 1);
      if (message !== undefined) this.#arrive(message, quiet);
    }
  }

  /** Time passes until `untilMs`: what is sent arrives at once, members wake when they asked for it. */
  run(untilMs: number): void {
    for (;;) {
      this.deliver(() => true, Number.POSITIVE_INFINITY, true);
      const next = this.#nextToWake();
      if (next === undefined || next.atMs > untilMs) break;
      this.clockMs = Math.max(this.clockMs, next.atMs);
      next.member.step({ kind: 'raft.tick' });
    }
    this.clockMs = Math.max(this.clockMs, untilMs);
  }

  #nextToWake(): { readonly member: CoreMember; readonly atMs: number } | undefined {
    let next: { readonly member: CoreMember; readonly atMs: number } | undefined;
    for (const member of this.running) {
      const atMs = member.running.deadlineMs;
      if (atMs !== undefined && (next === undefined || atMs < next.atMs)) next = { member, atMs };
    }
    return next;
  }

  #arrive(message: RaftMessage, quiet: boolean): void {
    const { from, to } = message;
    const receiver = this.members.get(to);
    const apart =
      this.#groups.length > 0 &&
      !this.#groups.some((group) => group.includes(from) && group.includes(to));
    const lost = apart || receiver?.node === undefined;
    if (!quiet) this.say(`${printMessage(message)}${lost ? ' (lost)' : ''}`);
    if (!lost) receiver.step(message);
  }

  nowMs(): number {
    return this.clockMs;
  }

  send(message: RaftMessage): void {
    this.messages.push(message);
  }

  onWrite(): void {}

  onReady(member: CoreMember, ready: Ready): void {
    this.#noteRole(member);
    for (const line of printReady(member, ready)) this.say(line);
  }

  onStepped(member: CoreMember): void {
    this.#noteRole(member);
    const { manualDisk, manualApply } = this.#settings;
    while (!manualDisk && member.flush());
    if (!manualApply && member.committedIndex > member.state.index) member.apply();
  }

  onApplied(): void {}

  onRead({ id }: CoreMember, read: number, index: LogIndex | undefined): void {
    this.say(
      `${id} ${index === undefined ? `cannot answer read ${read}` : `reads ${read} at ${index}`}`,
    );
  }

  onSnapshotWanted({ id }: CoreMember, to: NodeId): void {
    this.say(`${id} wants to send a snapshot to ${to}`);
  }

  #noteRole({ id, running }: CoreMember): void {
    const role = `${running.role}${running.hibernating ? ', asleep' : ''}`;
    const before = this.#roles.get(id);
    if (before === role) return;
    this.#roles.set(id, role);
    this.say(`${id} ${before} -> ${role} term=${running.term}`);
  }
}

function written(term: Term, index: LogIndex): LogEntry {
  return {
    term,
    index,
    kind: 'write',
    transaction: 0 as TransactionId,
    timestamp: 0 as Timestamp,
    origin: 1 as NodeId,
    wallMs: 0,
    objects: [],
    client: undefined,
    request: undefined,
    payload: Buffer.from(`t${term}`),
  };
}
