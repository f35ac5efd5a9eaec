/** What /metrics shows: requests, their latency, the state of Redis, and the process with its event-loop delay. */
import { AggregatorRegistry, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';

/** Counts an answer of one route. */
export type Observe = (status: number, seconds: number) => void;

export interface ServerMetrics {
  readonly registry: Registry;
  /** The counts of a route, kept apart from prom-client until they are asked for: its own cost more than a read. */
  observer(method: string, route: string): Observe;
}

/** Upper bounds in seconds. */
const BUCKETS = [
  0.00025, 0.0005, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
];

interface RouteCounts {
  readonly method: string;
  readonly route: string;
  readonly byStatus: Map<number, number>;
  /** One a bucket, and one for what is beyond them. */
  readonly buckets: number[];
  seconds: number;
}

interface Sample {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export function createMetrics(isRedisReady: () => boolean, inFlight: () => number): ServerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 20 });
  const routes: RouteCounts[] = [];
  register(registry, 'counter', 'featurectl_http_requests_total', 'Requests answered', () =>
    routes.flatMap(requestSamples),
  );
  register(
    registry,
    'histogram',
    'featurectl_http_request_seconds',
    'From the headers of a request to the end of its answer',
    () => routes.filter(({ byStatus }) => byStatus.size > 0).flatMap(latencySamples),
  );
  gauge(registry, 'featurectl_redis_ready', '1 where reads are answered by Redis, else 0', 'min', () =>
    Number(isRedisReady()),
  );
  gauge(registry, 'featurectl_reads_in_flight', 'Requests that wait for Redis', 'sum', inFlight);
  return {
    registry,
    observer: (method, route) => {
      const counts = {
        method,
        route,
        byStatus: new Map(),
        buckets: [...BUCKETS.map(() => 0), 0],
        seconds: 0,
      };
      routes.push(counts);
      return (status, seconds) => observe(counts, status, seconds);
    },
  };
}

function observe(counts: RouteCounts, status: number, seconds: number): void {
  counts.byStatus.set(status, (counts.byStatus.get(status) ?? 0) + 1);
  let bucket = 0;
  while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] ?? 0)) bucket += 1;
  counts.buckets[bucket] = (counts.buckets[bucket] ?? 0) + 1;
  counts.seconds += seconds;
}

function requestSamples({ method, route, byStatus }: RouteCounts): Sample[] {
  return [...byStatus].map(([status, value]) => ({ labels: { method, route, status }, value }));
}

/** Buckets count all that is at or below their bound. */
function latencySamples({ method, route, buckets, seconds }: RouteCounts): Sample[] {
  const name = 'featurectl_http_request_seconds';
  let count = 0;
  const samples: Sample[] = buckets.map((own, i) => {
    count += own;
    return {
      metricName: `${name}_bucket`,
      labels: { le: BUCKETS[i] ?? '+Inf', method, route },
      value: count,
    };
  });
  samples.push({ metricName: `${name}_sum`, labels: { method, route }, value: seconds });
  samples.push({ metricName: `${name}_count`, labels: { method, route }, value: count });
  return samples;
}

/** A metric is asked for these fields and get() only, which the types do not say; prom-client makes such ones itself. */
function register(
  registry: Registry,
  type: 'counter' | 'histogram',
  name: string,
  help: string,
  values: () => readonly Sample[],
): void {
  const metric = {
    name,
    help,
    type,
    aggregator: 'sum',
    get: async () => ({ name, help, type, aggregator: 'sum', values: values() }),
  };
  registry.registerMetric(metric as unknown as Metric);
}

function gauge(
  registry: Registry,
  name: string,
  help: string,
  aggregator: 'min' | 'sum',
  value: () => number,
): void {
  new Gauge({
    name,
    help,
    aggregator,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}

/** In the first of several processes: the metrics of all workers together, counters added up. */
export function metricsOfWorkers(): () => Promise<string> {
  const all = new AggregatorRegistry();
  return () => all.clusterMetrics();
}

/** In a worker: its metrics are among those. */
export function joinWorkers(registry: Registry): void {
  AggregatorRegistry.setRegistries(registry);
  new AggregatorRegistry();
}
