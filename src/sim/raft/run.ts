/** One seed of a simulated Raft group: faults and orders under load, then all is healed and must agree. */
import { AssertionError } from '../../base/assert.js';
import { Random } from '../../base/random.js';
import { plantedRules } from '../plant.js';
import type { Figures, RunRequest } from '../run.js';
import { demand, Violation } from '../workload.js';
import { World } from '../world.js';
import { Clients } from './clients.js';
import { GroupFaults } from './faults.js';
import { RaftGroup } from './group.js';
import { drawGroup, type GroupOptions } from './options.js';

export interface GroupResult extends Figures {
  readonly violation: string | undefined;
}

/** A healed group must agree within this. */
const convergenceMs = 30_000;

export function runGroup({ seed, plant, print }: RunRequest): GroupResult {
  const random = new Random(seed);
  const options = drawGroup(seed, random.split(), plantedRules(plant));
  const world = new World(random.split(), print);
  const group = new RaftGroup(world, random.split(), options);
  const clients = new Clients(world, random.split(), group);
  const faults = new GroupFaults(world, random.split(), group);
  print?.(JSON.stringify(options));
  let violation: string | undefined;
  try {
    group.start();
    clients.start();
    faults.start();
    runUntil(world, options.durationMs);
    faults.stop();
    clients.stop();
    group.heal();
    converge(world, group, options);
    clients.check();
  } catch (error) {
    if (!(error instanceof Violation || error instanceof AssertionError)) throw error;
    violation = `${error.stack}`;
  }
  return {
    violation,
    statements: clients.history.length,
    crashes: group.crashes,
    faults: faults.total,
    virtualMs: world.nowMs,
    trace: world.traceHash(),
    probes: group.reached,
    messages: group.messages,
  };
}

/** Events within one virtual second: many more are members that never stop answering each other. */
const eventsMax = 200_000;

function runUntil(world: World, untilMs: number): void {
  let secondMs = world.nowMs;
  for (let events = 0; world.nowMs < untilMs && world.step(); events += 1) {
    demand(events < eventsMax, 'a group comes to rest', world.nowMs);
    if (world.nowMs < secondMs + 1000) continue;
    secondMs = world.nowMs;
    events = 0;
  }
}

/** Whatever happened: a healed group elects a leader, commits, and brings all its members up to date. */
function converge(world: World, group: RaftGroup, options: GroupOptions): void {
  const untilMs = options.durationMs + convergenceMs;
  let proposed = false;
  while (world.nowMs < untilMs) {
    runUntil(world, world.nowMs + 200);
    const { leader } = group;
    if (leader === undefined || !leader.running.serves) continue;
    if (!proposed) {
      leader.propose('end=1');
      proposed = true;
    } else if (isEven(group)) return;
  }
  const shown = group.members.map((member) => ({
    ...member.running.status(member.nowMs),
    member: member.id,
    state: member.state.index,
    lost: member.disk.lost,
    installing: member.disk.installing,
  }));
  demand(false, 'a healed group agrees', shown);
}

/** All members that the leader knows have applied all there is. */
function isEven(group: RaftGroup): boolean {
  const { leader } = group;
  if (leader === undefined) return false;
  const { configuration, running, state } = leader;
  const { voters, outgoing, learners } = configuration;
  if (outgoing.length > 0 || state.index !== running.lastIndex) return false;
  return group.members
    .filter(({ id }) => voters.includes(id) || learners.includes(id))
    .every((member) => member.state.index === state.index && !member.disk.lost);
}
