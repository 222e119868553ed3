import type { CodedLimit, Limit } from '../../restrictions/index.ts';

/**
 * A number that grows with each use, up to its ceiling. Rates and quotas are both counters. A rate is GCRA: the
 * counter is the time at which the next request would be due if all came evenly (`floor` is the present time), in units in which
 * both the time and a request are whole numbers, so that exactly the configured number passes. A quota counts from zero.
 */
export type Counter = {
  key: string;
  floor: number;
  increment: number;
  ceiling: number;
  /** When it can be deleted. */
  expires_at: Date;
};

/** The result of counting: the first counter that refused, if one did, and the present value of each. */
export type Taken = { refusing: number | undefined; values: number[] };

export type Limits = {
  /** Increments all counters or none, from memory; undefined: a counter must be read first, and nothing was counted. */
  takeNow: (counters: readonly Counter[]) => Taken | undefined;
  /** The same, but reads missing counters. */
  take: (counters: readonly Counter[]) => Promise<Taken>;
  close: () => Promise<void>;
};

/** The state of a limit after a request. */
export type LimitState = { name: string; limit: number; remaining: number; resets_at: Date };

const second = 1000;
const periods = { second, minute: 60 * second, hour: 3600 * second, day: 86_400 * second };
// Times since then keep the products below within the exact integers of a number, up to 150,000 requests a period.
const epoch = Date.UTC(2025, 0, 1);

/** A limit of one key, prepared. */
export type CountedLimit = {
  limit: CodedLimit;
  counter: (cost: number, now: Date) => Counter;
  stateAt: (value: number, now: Date) => LimitState;
  /** Seconds until a request of this cost passes; undefined: it never does. */
  waitSeconds: (value: number, cost: number, now: Date) => number | undefined;
};

/** Prepares a limit of a key. */
export function countedLimit(key_id: string, limit: CodedLimit): CountedLimit {
  return limit.kind === 'quota' ? quota(key_id, limit) : rate(key_id, limit);
}

function rate(key_id: string, limit: CodedLimit): CountedLimit {
  const { name, amount, per } = limit;
  const period = periods[per === 'month' ? 'day' : per];
  const divisor = greatestCommonDivisor(amount, period);
  const [perMs, unit] = [amount / divisor, period / divisor];
  const key = `rate ${key_id} ${name}`;
  const at = (now: Date) => (now.getTime() - epoch) * perMs;
  const full = amount * unit;
  const msOf = (units: number) => Math.ceil(units / perMs);
  return {
    limit,
    counter: (cost, now) => {
      const expires_at = new Date(now.getTime() + 2 * period);
      return { key, floor: at(now), increment: cost * unit, ceiling: at(now) + full, expires_at };
    },
    stateAt: (value, now) => {
      const ahead = Math.max(0, value - at(now));
      const remaining = Math.max(0, Math.floor((full - ahead) / unit));
      return { name, limit: amount, remaining, resets_at: new Date(now.getTime() + msOf(ahead)) };
    },
    waitSeconds: (value, cost, now) => {
      if (cost > amount) return undefined;
      const excess = Math.max(value, at(now)) + cost * unit - (at(now) + full);
      return Math.max(1, Math.ceil(msOf(excess) / second));
    },
  };
}

function quota(key_id: string, limit: CodedLimit): CountedLimit {
  const { name, amount, per } = limit;
  return {
    limit,
    counter: (cost, now) => {
      const { label, ends_at } = calendar(per, now);
      return { key: `quota ${key_id} ${label}`, floor: 0, increment: cost, ceiling: amount, expires_at: ends_at };
    },
    stateAt: (value, now) => {
      const { ends_at } = calendar(per, now);
      return { name, limit: amount, remaining: Math.max(0, amount - value), resets_at: ends_at };
    },
    waitSeconds: (_, cost, now) => {
      const waitMs = calendar(per, now).ends_at.getTime() - now.getTime();
      return cost > amount ? undefined : Math.max(1, Math.ceil(waitMs / second));
    },
  };
}

/** The calendar day or month of an instant, in UTC. */
function calendar(per: Limit['per'], now: Date): { label: string; ends_at: Date } {
  const text = now.toISOString();
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  if (per === 'month') return { label: text.slice(0, 7), ends_at: new Date(Date.UTC(year, month + 1, 1)) };
  return { label: text.slice(0, 10), ends_at: new Date(Date.UTC(year, month, day + 1)) };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Increments counters whose values are known, all or none. */
export function move(counters: readonly Counter[], known: (key: string) => number | undefined): Taken {
  const present = counters.map(({ key, floor }) => Math.max(known(key) ?? floor, floor));
  const moved = counters.map(({ increment }, n) => (present[n] ?? 0) + increment);
  const refusing = counters.findIndex(({ ceiling }, n) => (moved[n] ?? 0) > ceiling);
  return refusing >= 0 ? { refusing, values: present } : { refusing: undefined, values: moved };
}
