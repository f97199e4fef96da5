/**
 * The simulated network between the processes: one connection per pair, as the mesh keeps it. Messages
 * travel as bytes. In order and at most once are only those of one sender, receiver and priority,
 * while a connection lives; those that may be dropped arrive late, twice or never. A connection ends
 * when a process dies, when bytes are corrupted (the mesh would see it by its frames' checks) or when
 * nothing has come through for long; what was under way on it is lost.
 */
import type { Message, Ref } from '../actors/actor.js';
import { decodeMessage, type Envelope, encodeMessage } from '../actors/index.js';
import { must } from '../base/assert.js';
import type { NodeId } from '../base/ids.js';
import type { Random } from '../base/random.js';
import type { World } from './world.js';

export interface NetworkOptions {
  /** The usual way of a message takes between these; a link has its own middle between them. */
  readonly latencyMsMin: number;
  readonly latencyMsMax: number;
  /** The chance that a message takes up to `tailMsMax` longer. */
  readonly tailChance: number;
  readonly tailMsMax: number;
  /** Chances of messages that may be dropped. */
  readonly dropChance: number;
  readonly repeatChance: number;
  /** The chance that a message arrives corrupted, which ends the connection. */
  readonly corruptChance: number;
  /** Bytes under way on a link above which new work is refused. */
  readonly backlogBytesMax: number;
  /** A connection through which nothing comes is given up after a time between these. */
  readonly silenceMsMin: number;
  readonly silenceMsMax: number;
  /** Pause until two processes that can reach each other are connected, at most. */
  readonly dialMsMax: number;
}

/** What the network needs of a process. */
export interface Station {
  readonly node: NodeId;
  /** UUID of its directory, which the two ends of a connection tell each other. */
  readonly instance: string;
  readonly alive: boolean;
  /** Brings a message to its actor. */
  deliver(to: Ref<never>, from: Ref<never> | undefined, kind: string, bytes: Uint8Array): void;
  /** The connection to `peer` has come about or ended. */
  onLink(peer: Station, connected: boolean): void;
}

interface Letter {
  readonly envelope: Pick<Envelope, 'to' | 'from' | 'type'>;
  readonly bytes: Uint8Array;
}

/** One direction between two processes. */
interface Link {
  readonly from: Station;
  readonly to: Station;
  /** The other direction. */
  back: Link | undefined;
  connected: boolean;
  /** Rises when a connection ends: what was sent before never arrives. */
  life: number;
  /** Faults that let nothing through. */
  blocks: number;
  /** Arrivals that a block holds up; they happen when it ends in time. */
  held: (() => void)[];
  /** Letters under way by sender, receiver and priority, in order. */
  readonly lanes: Map<string, Letter[]>;
  backlogBytes: number;
  middleMs: number;
  /** Milliseconds added while the link is slow. */
  slowMs: number;
}

export class SimulatedNetwork {
  /** Sees each message before anything happens to it. */
  onSend: (from: NodeId, message: Message) => void = () => undefined;
  /** Messages handed over so far. */
  sent = 0;
  readonly probes = new Map<string, number>();
  readonly #world: World;
  readonly #random: Random;
  readonly #options: NetworkOptions;
  readonly #stations: Station[] = [];
  readonly #links = new Map<number, Link>();
  #calm = false;
  /** Whom each process that lives wants to be connected to. */
  readonly #wanted = new Map<NodeId, ReadonlySet<NodeId>>();

  constructor(world: World, options: NetworkOptions, random: Random) {
    this.#world = world;
    this.#options = options;
    this.#random = random;
  }

  add(station: Station): void {
    for (const other of this.#stations) {
      const one = this.#link(station, other);
      const back = this.#link(other, station);
      one.back = back;
      back.back = one;
    }
    this.#stations.push(station);
  }

  /** As a Carrier, with the message still to be encoded; it leaves in `delayMs`. */
  send(from: NodeId, envelope: Envelope, delayMs: number): boolean {
    const link = this.#links.get(linkKey(from, envelope.to.node));
    if (link === undefined || !link.connected) return false;
    const { type, message } = envelope;
    const full = link.backlogBytes > this.#options.backlogBytesMax;
    if (full && type.flow === 'work') {
      this.#probe('network.backlogFull');
      return false;
    }
    const letter = { envelope, bytes: encodeMessage(type, message) };
    this.sent += 1;
    this.onSend(from, message);
    if (type.flow !== 'droppable') this.#sendInOrder(link, letter, delayMs);
    else if (full || this.#happens(this.#options.dropChance)) return true;
    else {
      this.#sendLoosely(link, letter, delayMs);
      if (this.#happens(this.#options.repeatChance)) {
        this.#sendLoosely(link, letter, delayMs);
      }
    }
    return true;
  }

  connected(from: NodeId, to: NodeId): boolean {
    return this.#links.get(linkKey(from, to))?.connected === true;
  }

  /** Faults may happen again. */
  disturb(): void {
    this.#calm = false;
  }

  /** Lets nothing through from `from` to `to`; blocks add up. */
  block(from: NodeId, to: NodeId): void {
    const link = this.#mustLink(from, to);
    link.blocks += 1;
    if (link.blocks > 1) return;
    const { silenceMsMin, silenceMsMax } = this.#options;
    const { life } = link;
    this.#world.after(this.#between(silenceMsMin, silenceMsMax), () => {
      if (link.blocks > 0 && link.life === life) this.#disconnect(link);
    });
  }

  /** Takes back one block. */
  unblock(from: NodeId, to: NodeId): void {
    const link = this.#mustLink(from, to);
    link.blocks -= 1;
    if (link.blocks > 0) return;
    const held = link.held;
    link.held = [];
    for (const arrival of held) this.#world.after(this.#latencyMs(link), arrival);
    if (!link.connected) this.#dial(link);
  }

  /** Ends the connection of two processes; they connect again. */
  reset(one: NodeId, other: NodeId): void {
    const link = this.#mustLink(one, other);
    this.#disconnect(link);
    this.#dial(link);
  }

  slow(from: NodeId, to: NodeId, slowMs: number): void {
    this.#mustLink(from, to).slowMs = slowMs;
  }

  /** Ends all blocks and slowness; from now on nothing is lost, repeated or corrupted. */
  heal(): void {
    this.#calm = true;
    for (const link of this.#links.values()) {
      link.slowMs = 0;
      if (link.blocks === 0) continue;
      link.blocks = 1;
      this.unblock(link.from.node, link.to.node);
    }
  }

  /** The process of `node` wants to be connected to these; to others it is when they want it. */
  want(node: NodeId, peers: Iterable<NodeId>): void {
    this.#wanted.set(node, new Set(peers));
    for (const link of this.#links.values()) if (link.from.node === node) this.#dial(link);
  }

  /** A process lives that others may have been waiting for. */
  onStarted(node: NodeId): void {
    for (const link of this.#links.values()) if (link.from.node === node) this.#dial(link);
  }

  onDied(node: NodeId): void {
    this.#wanted.delete(node);
    for (const link of this.#links.values()) if (link.from.node === node) this.#disconnect(link);
  }

  #link(from: Station, to: Station): Link {
    const { latencyMsMin, latencyMsMax } = this.#options;
    const link: Link = {
      from,
      to,
      back: undefined,
      connected: false,
      life: 0,
      blocks: 0,
      held: [],
      lanes: new Map(),
      backlogBytes: 0,
      middleMs: this.#between(latencyMsMin, latencyMsMax),
      slowMs: 0,
    };
    this.#links.set(linkKey(from.node, to.node), link);
    return link;
  }

  #sendInOrder(link: Link, letter: Letter, delayMs: number): void {
    const { to, from, type } = letter.envelope;
    const key = `${from?.place}/${from?.name}/${to.place}/${to.name}/${type.priority}`;
    let lane = link.lanes.get(key);
    if (lane === undefined) {
      lane = [];
      link.lanes.set(key, lane);
    }
    const letters = lane;
    letters.push(letter);
    this.#arrive(link, letter, delayMs, () => {
      // Whichever of them is due: the first of the lane arrives.
      const first = must(letters.shift(), 'a letter is under way');
      if (letters.length === 0) link.lanes.delete(key);
      return first;
    });
  }

  #sendLoosely(link: Link, letter: Letter, delayMs: number): void {
    this.#arrive(link, letter, delayMs, () => letter);
  }

  #arrive(link: Link, { bytes }: Letter, delayMs: number, take: () => Letter): void {
    const { life } = link;
    link.backlogBytes += bytes.length;
    const arrival = (): void => {
      if (link.life !== life) return;
      if (link.blocks > 0) {
        link.held.push(arrival);
        return;
      }
      link.backlogBytes -= bytes.length;
      const letter = take();
      if (this.#happens(this.#options.corruptChance)) {
        this.#corrupt(letter);
        this.reset(link.from.node, link.to.node);
        return;
      }
      const { to, from, type } = letter.envelope;
      link.to.deliver(to, from, type.kind, letter.bytes);
    };
    this.#world.after(delayMs + this.#latencyMs(link), arrival);
  }

  /** Bytes that were changed on the way must not harm the one who decodes them. */
  #corrupt({ envelope, bytes }: Letter): void {
    this.#probe('network.corrupted');
    const changed = Buffer.from(bytes);
    for (let flips = this.#random.between(1, 4); flips > 0 && changed.length > 0; flips -= 1) {
      const at = this.#random.below(changed.length);
      changed[at] = this.#random.below(256);
    }
    const cut = this.#random.chance(0.3) ? this.#random.below(changed.length + 1) : changed.length;
    try {
      decodeMessage(envelope.type, changed.subarray(0, cut));
    } catch {
      // Refused, as it should be.
    }
  }

  #latencyMs(link: Link): number {
    const { tailChance, tailMsMax } = this.#options;
    const tailMs = this.#happens(tailChance) ? this.#random.fraction() * tailMsMax : 0;
    return link.middleMs * (0.7 + this.#random.fraction() * 0.6) + tailMs + link.slowMs;
  }

  #disconnect(link: Link): void {
    const back = must(link.back, 'a link has two directions');
    const was = link.connected;
    for (const each of [link, back]) {
      each.connected = false;
      each.life += 1;
      each.held = [];
      each.lanes.clear();
      each.backlogBytes = 0;
    }
    if (!was) return;
    this.#world.trace('network', 'breaks', `${link.from.node} - ${link.to.node}`);
    if (link.from.alive) link.from.onLink(link.to, false);
    if (link.to.alive) link.to.onLink(link.from, false);
  }

  /** Connects two processes soon, if they can reach each other by then. */
  #dial(link: Link): void {
    if (link.connected || !this.#isWanted(link)) return;
    this.#world.after(this.#random.fraction() * this.#options.dialMsMax, () => {
      if (!this.#isWanted(link)) return;
      const back = must(link.back, 'a link has two directions');
      const reachable = link.blocks === 0 && back.blocks === 0;
      if (link.connected || !reachable || !link.from.alive || !link.to.alive) return;
      link.connected = true;
      back.connected = true;
      link.from.onLink(link.to, true);
      link.to.onLink(link.from, true);
    });
  }

  #happens(chance: number): boolean {
    return !this.#calm && this.#random.chance(chance);
  }

  #isWanted({ from, to }: Link): boolean {
    const wants = (one: Station, other: Station): boolean =>
      this.#wanted.get(one.node)?.has(other.node) === true;
    return wants(from, to) || wants(to, from);
  }

  #mustLink(from: NodeId, to: NodeId): Link {
    return must(this.#links.get(linkKey(from, to)), 'no such link');
  }

  #between(low: number, high: number): number {
    return low + this.#random.fraction() * (high - low);
  }

  #probe(name: string): void {
    this.probes.set(name, (this.probes.get(name) ?? 0) + 1);
  }
}

function linkKey(from: NodeId, to: NodeId): number {
  return from * 1000 + to;
}
