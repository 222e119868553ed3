import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** How a token transaction ended; `unavailable`: whether it took effect is unknown. */
export type TokenVerdict = 'won' | 'grace' | 'reuse' | 'used' | 'exhausted' | 'revoked' | 'busy' | 'unavailable';

type Request = { method: string; route: string; status: number };
type Early = { requests: Histogram.Internal<string>; early: Counter.Internal };

const requestSeconds = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The measurements of one process: Node's own (event loop, memory, garbage collection) and ours, named `latchkey_…`. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests: Histogram;
  /** By method, route template and status, which are few: finding them again by their labels takes longer. */
  readonly #observed = new Map<string, Histogram.Internal<string>>();
  /** By route template. */
  readonly #observedEarly = new Map<string, Early>();
  readonly #early: Counter;
  readonly #verdicts: Counter;
  readonly #batches: Histogram;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.#requests = new Histogram({
      name: 'latchkey_http_request_duration_seconds',
      help: 'Time from a request to its answer, by method, route template and status',
      labelNames: ['method', 'route', 'status'],
      buckets: requestSeconds,
      registers,
    });
    this.#early = new Counter({
      name: 'latchkey_early_answers_total',
      help: 'Requests answered from memory before anything else looked at them, by route template; they are among the others, too',
      labelNames: ['route'],
      registers,
    });
    this.#verdicts = new Counter({
      name: 'latchkey_token_transactions_total',
      help: 'Token transactions by verdict: won, grace (a retry got the same answer), reuse (a family ended), used, …',
      labelNames: ['verdict'],
      registers,
    });
    this.#batches = new Histogram({
      name: 'latchkey_token_transaction_batch_size',
      help: 'Token requests committed together',
      buckets: [1, 2, 4, 8, 16, 32, 64],
      registers,
    });
  }

  /** @param seconds from the request to its answer */
  request({ method, route, status }: Request, seconds: number): void {
    const of = `${method} ${route} ${status}`;
    const observed = this.#observed.get(of) ?? this.#requests.labels(method, route, String(status));
    this.#observed.set(of, observed);
    observed.observe(seconds);
  }

  /** A request that was answered with 200 from memory; each route takes one method. */
  earlyAnswer({ method, route }: Omit<Request, 'status'>, seconds: number): void {
    let observed = this.#observedEarly.get(route);
    if (!observed) {
      observed = { requests: this.#requests.labels(method, route, '200'), early: this.#early.labels(route) };
      this.#observedEarly.set(route, observed);
    }
    observed.requests.observe(seconds);
    observed.early.inc();
  }

  tokenTransaction(verdict: TokenVerdict): void {
    this.#verdicts.labels(verdict).inc();
  }

  tokenBatch(size: number): void {
    this.#batches.observe(size);
  }

  /** Measures something whenever it is asked for. */
  gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: `latchkey_${name}`,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }
}
