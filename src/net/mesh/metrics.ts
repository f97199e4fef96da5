/** What the mesh counts. */
import { declareMetric, latencySeconds } from '../../base/metrics.js';

export const meshMetrics = {
  links: declareMetric({
    name: 'shardforge_mesh_links',
    help: 'Other nodes that a link is up to.',
    kind: 'gauge',
    labels: [],
  }),
  bytes: declareMetric({
    name: 'shardforge_mesh_bytes_total',
    help: 'Bytes of messages from and to other nodes.',
    kind: 'counter',
    labels: ['direction', 'priority'],
  }),
  messages: declareMetric({
    name: 'shardforge_mesh_messages_total',
    help: 'Messages from and to other nodes.',
    kind: 'counter',
    labels: ['direction', 'priority'],
  }),
  queueBytes: declareMetric({
    name: 'shardforge_mesh_queue_bytes',
    help: 'Bytes that wait for other nodes.',
    kind: 'gauge',
    labels: ['priority'],
  }),
  refusedMessages: declareMetric({
    name: 'shardforge_mesh_messages_refused_total',
    help: 'Messages not taken for another node, by flow: out of reach, too much waits, or too large.',
    kind: 'counter',
    labels: ['flow'],
  }),
  refusals: declareMetric({
    name: 'shardforge_mesh_refusals_total',
    help: 'Connections between nodes that were refused, by reason.',
    kind: 'counter',
    labels: ['reason'],
  }),
  badFrames: declareMetric({
    name: 'shardforge_mesh_bad_frames_total',
    help: 'Frames from other nodes that were corrupt or too large; each has ended its connection.',
    kind: 'counter',
    labels: [],
  }),
  lost: declareMetric({
    name: 'shardforge_mesh_links_lost_total',
    help: 'Links that broke.',
    kind: 'counter',
    labels: [],
  }),
  dials: declareMetric({
    name: 'shardforge_mesh_dials_total',
    help: 'Attempts to connect to other nodes.',
    kind: 'counter',
    labels: [],
  }),
  retries: declareMetric({
    name: 'shardforge_mesh_reliable_retries_total',
    help: 'Reliable messages that were sent again.',
    kind: 'counter',
    labels: [],
  }),
  abandoned: declareMetric({
    name: 'shardforge_mesh_reliable_abandoned_total',
    help: 'Reliable messages that were given up.',
    kind: 'counter',
    labels: [],
  }),
  roundTrip: declareMetric({
    name: 'shardforge_mesh_round_trip_seconds',
    help: 'From a ping to its answer.',
    kind: 'histogram',
    labels: [],
    bounds: latencySeconds,
  }),
} as const;
