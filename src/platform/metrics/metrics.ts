import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type Durations, RequestDurations } from './durations.ts';

/** The result of a token transaction; `unavailable`: whether it took effect is unknown. */
export type TokenVerdict =
  | 'won'
  | 'grace'
  | 'reuse'
  | 'used'
  | 'exhausted'
  | 'revoked'
  | 'stale'
  | 'busy'
  | 'unavailable';

type Request = { method: string; route: string; status: number };

/** Counts by the value of a label: an addition, where the counters of Prometheus' client concatenate strings. */
type Tally = Map<string, number>;

const requestSeconds = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The measurements of one process: Node's own (event loop, memory, garbage collection) and ours, named `latchkey_…`. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests: RequestDurations;
  readonly #early: Tally;
  /** By route template; most have one method. */
  readonly #lastEarly = new Map<string, { method: string; durations: Durations }>();
  readonly #verdicts: Tally;
  readonly #batches: Histogram;

  constructor() {
    const registers = [this.registry];
    // The default of a hundred measurements a second would make the event-loop delay most of the work of an idle server.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 100 });
    this.#requests = new RequestDurations({
      name: 'latchkey_http_request_duration_seconds',
      help: 'Time from a request to its response, by method, route template and status',
      bounds: requestSeconds,
      registers,
    });
    this.#early = this.#tally('route', {
      name: 'early_answers_total',
      help: 'Requests answered with 200 from a cache alone, by route template; the request durations include them',
    });
    this.#verdicts = this.#tally('verdict', {
      name: 'token_transactions_total',
      help: 'Token transactions by verdict: won, grace (a retry got the same response), reuse (a family was revoked), used, …',
    });
    this.#batches = new Histogram({
      name: 'latchkey_token_transaction_batch_size',
      help: 'Token requests committed together',
      buckets: [1, 2, 4, 8, 16, 32, 64],
      registers,
    });
  }

  /** @param seconds from the request to its response */
  request({ method, route, status }: Request, seconds: number): void {
    this.#requests.of({ method, route, status: String(status) }).observe(seconds);
  }

  /** A request that was answered with 200 from a cache. */
  earlyAnswer({ method, route }: Omit<Request, 'status'>, seconds: number): void {
    let last = this.#lastEarly.get(route);
    if (last?.method !== method) {
      last = { method, durations: this.#requests.of({ method, route, status: '200' }) };
      this.#lastEarly.set(route, last);
    }
    last.durations.observe(seconds);
    count(this.#early, route);
  }

  tokenTransaction(verdict: TokenVerdict): void {
    count(this.#verdicts, verdict);
  }

  tokenBatch(size: number): void {
    this.#batches.observe(size);
  }

  /** Measures something at each scrape. */
  gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: `latchkey_${name}`,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }

  /**
   * Counts something by one label.
   *
   * @param values of the label that start at 0, so that the first one shows as a rise
   */
  counter(name: string, { help, label, values }: { help: string; label: string; values: readonly string[] }) {
    const tally = this.#tally(label, { name, help }, values);
    return (value: string, times: number) => count(tally, value, times);
  }

  /** Counts by one label, read at each scrape. */
  #tally(label: string, { name, help }: { name: string; help: string }, values: readonly string[] = []): Tally {
    const tally: Tally = new Map(values.map((value) => [value, 0]));
    const counter: Counter = new Counter({
      name: `latchkey_${name}`,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect: () => {
        counter.reset();
        for (const [value, times] of tally) counter.inc({ [label]: value }, times);
      },
    });
    return tally;
  }
}

function count(tally: Tally, label: string, times = 1): void {
  tally.set(label, (tally.get(label) ?? 0) + times);
}
