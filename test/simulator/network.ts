/** The simulated network keeps what it promises to the processes, whatever is done to its links. */
import type { Test } from 'tap';
import type { MessageType, PlaceId, Ref } from '#src/actors/index.js';
import { decodeMessage } from '#src/actors/index.js';
import type { NodeId } from '#src/base/ids.js';
import { Random } from '#src/base/random.js';
import { SimulatedNetwork, type Station } from '#src/sim/network.js';
import { World } from '#src/sim/world.js';

interface Numbered {
  readonly kind: string;
  readonly number: number;
}

const ordered: MessageType = { kind: 'test.ordered', priority: 'normal', flow: 'reply' };
const loose: MessageType = { kind: 'test.loose', priority: 'high', flow: 'droppable' };

class Post implements Station {
  readonly instance = '';
  readonly alive = true;
  readonly node: NodeId;
  /** Numbers that have arrived, by kind and sender. */
  readonly arrived = new Map<string, number[]>();

  constructor(node: number) {
    this.node = node as NodeId;
  }

  deliver(_to: Ref<never>, from: Ref<never> | undefined, kind: string, bytes: Uint8Array): void {
    const type = kind === ordered.kind ? ordered : loose;
    const { number } = decodeMessage(type, bytes) as Numbered;
    const key = `${kind} from ${from?.node}`;
    this.arrived.set(key, [...(this.arrived.get(key) ?? []), number]);
  }

  onLink(): void {}
}

export function testNetwork(t: Test): void {
  t.test('the network: order, at most once, blocks and resets', async (t) => {
    let looseOutOfOrder = 0;
    for (let seed = 1; seed <= 20; seed += 1) {
      const posts = runLinks(seed);
      for (const post of posts) {
        for (const [key, numbers] of post.arrived) {
          const rises = numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0));
          if (key.startsWith(ordered.kind)) {
            t.ok(rises, `seed ${seed}: ${key} in order and at most once`);
            t.equal(numbers.at(-1), lastNumber, 'what is sent after all is healed arrives');
          } else if (!rises) looseOutOfOrder += 1;
        }
      }
    }
    t.ok(looseOutOfOrder > 0, 'what may be dropped also comes late or twice');
  });
}

const lastNumber = 400;

function runLinks(seed: number): readonly Post[] {
  const random = new Random(seed);
  const world = new World(random.split());
  const network = new SimulatedNetwork(
    world,
    {
      ...{ latencyMsMin: 0.1, latencyMsMax: 3, tailChance: 0.1, tailMsMax: 30 },
      ...{ dropChance: 0.1, repeatChance: 0.1, corruptChance: 0.002, backlogBytesMax: 1e6 },
      ...{ silenceMsMin: 5, silenceMsMax: 50, dialMsMax: 5 },
    },
    random.split(),
  );
  const posts = [1, 2, 3].map((node) => new Post(node));
  for (const post of posts) network.add(post);
  const nodes = posts.map(({ node }) => node);
  for (const { node } of posts) network.want(node, nodes);
  const sendAll = (number: number): void => {
    for (const from of nodes) {
      for (const to of nodes) if (from !== to) send(network, from, to, number);
    }
  };
  const run = (durationMs: number): void => {
    const endMs = world.nowMs + durationMs;
    world.after(durationMs, () => undefined);
    while (world.nowMs < endMs) world.step();
  };
  run(10);
  for (let number = 1; number < lastNumber; number += 1) {
    const from = random.pick(nodes);
    const to = random.pick(nodes.filter((node) => node !== from));
    if (random.chance(0.05)) {
      network.block(from, to);
      world.after(random.fraction() * 60, () => network.unblock(from, to));
    }
    if (random.chance(0.02)) network.reset(from, to);
    sendAll(number);
    run(random.fraction() * 2);
  }
  run(200);
  network.heal();
  run(200);
  sendAll(lastNumber);
  run(200);
  return posts;
}

function send(network: SimulatedNetwork, from: NodeId, to: NodeId, number: number): void {
  const ref = (node: NodeId): Ref<never> => ({ node, place: 1 as PlaceId, name: 'post' });
  for (const type of [ordered, loose]) {
    const message: Numbered = { kind: type.kind, number };
    network.send(from, { to: ref(to), from: ref(from), type, message }, 0);
  }
}
