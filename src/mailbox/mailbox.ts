import type { MessagePort } from 'node:worker_threads';
import { RingBuffer } from 'ringbuf.js';
import { assert, must } from '../base/assert.js';
import { type MetricSample, Metrics, type Cell as Series } from '../base/metrics.js';
import { bellStride, lanesPerWay, type MailboxSetup } from './connect.js';
import { Inlet, type RecordVisit, readBuffer } from './inlet.js';
import { readBytes } from './limits.js';
import { mailboxMetrics } from './metrics.js';
import { Outlet, type RecordFlow } from './outlet.js';

export interface MailboxOptions {
  /** Called when this thread slept and records have come, or room for what waits. */
  readonly onBell: () => void;
}

/** The first message of a lane: its ring. All other messages of a port are bells. */
interface LaneOffer {
  readonly lane: number;
  readonly ring: SharedArrayBuffer;
}

interface Peer {
  readonly thread: number;
  readonly port: MessagePort;
  readonly outlets: (Outlet | undefined)[];
  readonly inlets: (Inlet | undefined)[];
  readonly records: Series;
  readonly bytes: Series;
  readonly refused: Series;
  readonly dropped: Series;
  readonly bells: Series;
  readonly overflow: Series;
  /** Something was written since the last flush. */
  written: boolean;
}

/**
 * One thread's mailbox: what it writes to each other thread and reads from it.
 *
 * A thread writes any number of records and then flushes once. A thread that has nothing to do says
 * so by {@link sleep}; only then do the others ring its bell.
 */
export class Mailbox {
  readonly #thread: number;
  readonly #threads: number;
  readonly #ringBytes: number;
  readonly #bells: Int32Array;
  readonly #waits: Int32Array;
  readonly #peers: (Peer | undefined)[];
  readonly #metrics = new Metrics();
  readonly #buffer = readBuffer(readBytes);

  constructor(setup: MailboxSetup, options: MailboxOptions) {
    this.#thread = setup.thread;
    this.#threads = setup.threads;
    this.#ringBytes = setup.ringBytes;
    this.#bells = new Int32Array(setup.bells);
    this.#waits = new Int32Array(setup.waits);
    this.#peers = setup.ports.map((port, thread) => port && this.#peer(port, thread));
    for (const peer of this.#peers) {
      peer?.port.on('message', (offer: LaneOffer | undefined) => {
        if (offer !== undefined) this.#accept(peer, offer);
        options.onBell();
      });
    }
  }

  /**
   * Writes a record of two parts to `thread`; it leaves with the next {@link flush}. False when it is
   * no reply and there is no room.
   */
  write(
    thread: number,
    lane: number,
    flow: RecordFlow,
    head: Uint8Array,
    body: Uint8Array,
  ): boolean {
    const peer = this.#mustPeer(thread);
    const outlet = peer.outlets[lane] ?? this.#open(peer, lane);
    if (!outlet.write(head, body, flow)) {
      if (flow === 'work') peer.refused.value += 1;
      else peer.dropped.value += 1;
      return false;
    }
    peer.written = true;
    peer.records.value += 1;
    peer.bytes.value += head.length + body.length;
    return true;
  }

  /** Hands over what was written, and wakes the readers that sleep. */
  flush(): void {
    for (const peer of this.#peers) {
      if (peer === undefined || !peer.written) continue;
      peer.written = false;
      for (let lane = 0; lane < lanesPerWay; lane += 1) {
        const outlet = peer.outlets[lane];
        if (outlet === undefined) continue;
        outlet.push();
        if (outlet.overflowBytes > 0) this.#awaitRoom(peer, outlet, lane);
      }
      this.#wake(peer);
    }
  }

  /**
   * Visits records that have come until about `bytesMax` bytes are read: again and again a piece of
   * each way, the most urgent lanes first, so that no way and no lane waits for ever. True when
   * there is more.
   */
  read(bytesMax: number, visit: RecordVisit): boolean {
    let bytes = 0;
    for (;;) {
      let came = 0;
      for (let lane = 0; lane < lanesPerWay; lane += 1) {
        for (const peer of this.#peers) {
          const inlet = peer?.inlets[lane];
          if (peer === undefined || inlet === undefined) continue;
          const count = inlet.read(this.#buffer, peer.thread, visit);
          if (count > 0) this.#tellRoom(peer, lane);
          came += count;
        }
      }
      if (came === 0) return false;
      bytes += came;
      if (bytes >= bytesMax) return true;
    }
  }

  /** Arms the bell: the thread may wait now. False when something has come meanwhile. */
  sleep(): boolean {
    Atomics.store(this.#bells, this.#thread * bellStride, 1);
    // What was written before the bell was armed rang nothing: look once more.
    if (!this.#somethingCame()) return true;
    Atomics.store(this.#bells, this.#thread * bellStride, 0);
    return false;
  }

  /** The thread is awake: nobody rings. What waited for room leaves as far as there is some now. */
  wake(): void {
    Atomics.store(this.#bells, this.#thread * bellStride, 0);
    this.flush();
  }

  /** True when everything written has left for the other threads' rings. */
  get flushed(): boolean {
    return this.#peers.every((peer) => peer === undefined || overflowOf(peer) === 0);
  }

  metrics(): readonly MetricSample[] {
    for (const peer of this.#peers) if (peer !== undefined) peer.overflow.value = overflowOf(peer);
    return this.#metrics.snapshot();
  }

  /** Closes the ports, so that they do not keep the thread alive. */
  close(): void {
    for (const peer of this.#peers) peer?.port.close();
  }

  #peer(port: MessagePort, thread: number): Peer {
    const labels = { from: String(this.#thread), to: String(thread) };
    const { records, bytes, refused, dropped, bells, overflow } = mailboxMetrics;
    return {
      thread,
      port,
      outlets: [],
      inlets: [],
      records: this.#metrics.cell(records, labels),
      bytes: this.#metrics.cell(bytes, labels),
      refused: this.#metrics.cell(refused, labels),
      dropped: this.#metrics.cell(dropped, labels),
      bells: this.#metrics.cell(bells, labels),
      overflow: this.#metrics.cell(overflow, labels),
      written: false,
    };
  }

  #mustPeer(thread: number): Peer {
    return must(this.#peers[thread], `no thread ${thread} to write to`);
  }

  #open(peer: Peer, lane: number): Outlet {
    assert(lane >= 0 && lane < lanesPerWay, 'no such lane', lane);
    const ring = RingBuffer.getStorageForCapacity(this.#ringBytes, Uint8Array);
    const outlet = new Outlet(new RingBuffer(ring, Uint8Array));
    peer.outlets[lane] = outlet;
    peer.port.postMessage({ lane, ring } satisfies LaneOffer);
    return outlet;
  }

  #accept(peer: Peer, offer: LaneOffer): void {
    assert(peer.inlets[offer.lane] === undefined, 'a lane is opened twice', offer.lane);
    peer.inlets[offer.lane] = new Inlet(new RingBuffer(offer.ring, Uint8Array));
  }

  /** Asks the reader to ring when it has made room; looks again, as it may have done so just now. */
  #awaitRoom(peer: Peer, outlet: Outlet, lane: number): void {
    peer.written = true;
    const at = this.#waitOf(this.#thread, peer.thread, lane);
    Atomics.store(this.#waits, at, 1);
    outlet.push();
    if (outlet.overflowBytes === 0) Atomics.store(this.#waits, at, 0);
  }

  /** Rings the writer that waits for room. */
  #tellRoom(peer: Peer, lane: number): void {
    const at = this.#waitOf(peer.thread, this.#thread, lane);
    if (Atomics.load(this.#waits, at) !== 1) return;
    if (Atomics.compareExchange(this.#waits, at, 1, 0) === 1) this.#ring(peer);
  }

  #wake(peer: Peer): void {
    const at = peer.thread * bellStride;
    if (Atomics.load(this.#bells, at) !== 1) return;
    if (Atomics.compareExchange(this.#bells, at, 1, 0) === 1) this.#ring(peer);
  }

  #ring(peer: Peer): void {
    peer.bells.value += 1;
    peer.port.postMessage(undefined);
  }

  #somethingCame(): boolean {
    return this.#peers.some((peer) => peer?.inlets.some((inlet) => inlet?.empty === false));
  }

  #waitOf(writer: number, reader: number, lane: number): number {
    return (writer * this.#threads + reader) * lanesPerWay + lane;
  }
}

function overflowOf(peer: Peer): number {
  return peer.outlets.reduce((sum, outlet) => sum + (outlet?.overflowBytes ?? 0), 0);
}
