/** What the SQL door counts. */
import { declareMetric, latencySeconds } from '../base/metrics.js';

export const doorMetrics = {
  connections: declareMetric({
    name: 'shardforge_connections',
    help: 'SQL connections that are open.',
    kind: 'gauge',
    labels: [],
  }),
  refused: declareMetric({
    name: 'shardforge_connections_refused_total',
    help: 'SQL connections that were not taken, by the name of the error.',
    kind: 'counter',
    labels: ['reason'],
  }),
  requests: declareMetric({
    name: 'shardforge_request_seconds',
    help: 'From the arrival of a request to its last answer, by operation and outcome.',
    kind: 'histogram',
    labels: ['operation', 'outcome'],
    bounds: latencySeconds,
  }),
  badFrames: declareMetric({
    name: 'shardforge_bad_frames_total',
    help: 'Frames from clients that were refused before a session saw them.',
    kind: 'counter',
    labels: [],
  }),
  paused: declareMetric({
    name: 'shardforge_connection_pauses_total',
    help: 'Times that a connection was no longer read because its client did not read.',
    kind: 'counter',
    labels: [],
  }),
} as const;
