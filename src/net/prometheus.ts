/** Samples of our own metrics and of the process as the text that Prometheus scrapes. */
import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { declaredMetrics, type MetricDeclaration, type MetricSample } from '../base/metrics.js';

interface Series {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export class Exposition {
  readonly #process = new Registry();

  constructor() {
    // By default the delay of the event loop is sampled each 10 ms: an idle node would do little else.
    const eventLoopMonitoringPrecision = 100;
    collectDefaultMetrics({ register: this.#process, eventLoopMonitoringPrecision });
  }

  get contentType(): string {
    return this.#process.contentType;
  }

  /** `samples` come from all threads: those of the same name and labels are added. */
  async text(samples: readonly MetricSample[]): Promise<string> {
    const own = new Registry();
    for (const declaration of declaredMetrics()) {
      const { name, help, kind: type } = declaration;
      const values = addedUp(samples.filter((sample) => sample.name === name)).flatMap((sample) =>
        seriesOf(declaration, sample),
      );
      // A registry asks its metrics for no more than this, but its type wants prom-client's own.
      const metric = { name, get: () => ({ name, help, type, values }) };
      if (values.length > 0) own.registerMetric(metric as unknown as Metric);
    }
    return `${await own.metrics()}\n${await this.#process.metrics()}`;
  }
}

function addedUp(samples: readonly MetricSample[]): readonly MetricSample[] {
  const sums = new Map<string, MetricSample>();
  for (const sample of samples) {
    const key = JSON.stringify(sample.labels);
    const known = sums.get(key);
    sums.set(key, known === undefined ? sample : sumOf(known, sample));
  }
  return [...sums.values()];
}

function sumOf(a: MetricSample, b: MetricSample): MetricSample {
  const buckets = a.buckets?.map((count, i) => count + (b.buckets?.[i] ?? 0));
  const { name, labels } = a;
  const value = a.value + b.value;
  return buckets === undefined ? { name, labels, value } : { name, labels, value, buckets };
}

/** Prometheus counts buckets cumulatively, up to `+Inf`. */
function seriesOf(declaration: MetricDeclaration, sample: MetricSample): readonly Series[] {
  const { name, bounds } = declaration;
  const { labels, value, buckets } = sample;
  if (bounds === undefined || buckets === undefined) return [{ labels, value }];
  let count = 0;
  const series: Series[] = buckets.map((added, i) => {
    count += added;
    const le = i < bounds.length ? String(bounds[i]) : '+Inf';
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
  });
  series.push({ metricName: `${name}_sum`, labels, value });
  series.push({ metricName: `${name}_count`, labels, value: count });
  return series;
}
