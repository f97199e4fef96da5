/** What the runtime counts. */
import { declareMetric } from '../base/metrics.js';

const turnSeconds: readonly number[] = [
  0.000002, 0.000005, 0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01,
  0.02, 0.05, 0.1, 0.5, 1,
];

export const actorMetrics = {
  turnSeconds: declareMetric({
    name: 'shardforge_actor_turn_seconds',
    help: 'Length of turns: one message received and its effects performed.',
    kind: 'histogram',
    labels: ['kind'],
    bounds: turnSeconds,
  }),
  longTurns: declareMetric({
    name: 'shardforge_actor_long_turns_total',
    help: 'Turns longer than 5 ms, which hold up everything else on their thread.',
    kind: 'counter',
    labels: ['kind'],
  }),
  restarts: declareMetric({
    name: 'shardforge_actor_restarts_total',
    help: 'Actors started again after they threw.',
    kind: 'counter',
    labels: ['kind'],
  }),
  actors: declareMetric({
    name: 'shardforge_actor_count',
    help: 'Living actors.',
    kind: 'gauge',
    labels: ['kind'],
  }),
  queued: declareMetric({
    name: 'shardforge_actor_queue_messages',
    help: 'Messages that wait at the actors of a place.',
    kind: 'gauge',
    labels: ['place'],
  }),
  held: declareMetric({
    name: 'shardforge_actor_held_messages',
    help: 'Messages that wait until what their sender persisted is durable.',
    kind: 'gauge',
    labels: ['place'],
  }),
  deadLetters: declareMetric({
    name: 'shardforge_actor_dead_letters_total',
    help: 'Messages to actors that do not exist.',
    kind: 'counter',
    labels: ['place'],
  }),
  dropped: declareMetric({
    name: 'shardforge_actor_dropped_total',
    help: 'Messages that may be dropped and met a full queue.',
    kind: 'counter',
    labels: ['place'],
  }),
  refused: declareMetric({
    name: 'shardforge_actor_refused_total',
    help: 'New work that was refused to its sender because a queue was full.',
    kind: 'counter',
    labels: ['place'],
  }),
  undecodable: declareMetric({
    name: 'shardforge_actor_undecodable_total',
    help: 'Messages dropped because they could not be decoded.',
    kind: 'counter',
    labels: ['place'],
  }),
} as const;
