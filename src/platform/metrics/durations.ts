import { Histogram, type HistogramConfiguration } from 'prom-client';

/** The durations of requests with the same labels, as the number that took at most as long as each bound. */
export class Durations {
  readonly #bounds: readonly number[];
  /** By bound; the last count is of those above all bounds. */
  readonly counts: number[];
  sum = 0;

  /** @param bounds seconds, ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = [...bounds.map(() => 0), 0];
  }

  observe(seconds: number): void {
    let at = 0;
    while (seconds > (this.#bounds[at] ?? Number.POSITIVE_INFINITY)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += seconds;
  }
}

type Label = 'method' | 'route' | 'status';
type Labels = Record<Label, string>;
type Settings = Required<Pick<HistogramConfiguration<Label>, 'name' | 'help' | 'registers'>> & {
  bounds: readonly number[];
};

/**
 * A histogram like that of Prometheus' client with other counting: an observation with theirs costs a fifth of a request to the gateway.
 */
export class RequestDurations extends Histogram<Label> {
  readonly #described: { name: string; help: string };
  readonly #bounds: readonly number[];
  /** By all labels; there are few combinations. */
  readonly #observed = new Map<string, { labels: Labels; durations: Durations }>();

  constructor({ name, help, registers, bounds }: Settings) {
    super({ name, help, registers, labelNames: ['method', 'route', 'status'], buckets: [...bounds] });
    this.#described = { name, help };
    this.#bounds = bounds;
  }

  /** The series for these labels: callers that know them in advance look it up once. */
  of(labels: Labels): Durations {
    const key = `${labels.method} ${labels.route} ${labels.status}`;
    const known = this.#observed.get(key);
    if (known) return known.durations;
    const durations = new Durations(this.#bounds);
    this.#observed.set(key, { labels, durations });
    return durations;
  }

  /** The registry prints it, and `get` returns it. */
  async getForPromString() {
    const values = [...this.#observed.values()].flatMap((one) => this.#valuesOf(one));
    return { ...this.#described, type: 'histogram', aggregator: 'sum', values };
  }

  #valuesOf({ labels: sharedLabels, durations: { counts, sum } }: { labels: Labels; durations: Durations }) {
    const { name } = this.#described;
    let sofar = 0;
    const buckets = [...this.#bounds, '+Inf'].map((le, n) => {
      sofar += counts[n] ?? 0;
      return { metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: sofar };
    });
    const whole = [
      { metricName: `${name}_sum`, labels: {}, sharedLabels, value: sum },
      { metricName: `${name}_count`, labels: {}, sharedLabels, value: sofar },
    ];
    return [...buckets, ...whole];
  }
}
