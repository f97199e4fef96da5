/** What the stores of a node tell about themselves. */
import { declareMetric, latencySeconds, type MetricSample } from '../base/metrics.js';
import type { EngineStats } from '../storage/index.js';

const labels = ['store'];

const usedBytes = declareMetric({
  name: 'shardforge_store_used_bytes',
  help: 'Bytes of the map of a store that are in use; data.mapSizeBytes is the most.',
  kind: 'gauge',
  labels,
});
const logBytes = declareMetric({
  name: 'shardforge_store_log_bytes',
  help: 'Bytes of the segments of a store that hold entries of the log.',
  kind: 'gauge',
  labels,
});
const flushSeconds = declareMetric({
  name: 'shardforge_store_flush_seconds',
  help: 'Flushes of the log of a store: from the start of the write until it is on stable storage.',
  kind: 'histogram',
  labels,
  bounds: latencySeconds,
});

/** The samples of one store; the engine's histogram has the bounds declared here. */
export function engineSamples(store: number, stats: EngineStats): readonly MetricSample[] {
  const own = { store: String(store) };
  const buckets = stats.flushLatency.counts;
  return [
    { name: usedBytes.name, labels: own, value: stats.usedBytes },
    { name: logBytes.name, labels: own, value: stats.logBytes },
    { name: flushSeconds.name, labels: own, value: stats.flushSeconds, buckets },
  ];
}
