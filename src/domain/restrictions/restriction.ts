import type { z } from 'zod';
import type { Right } from '../access/index.ts';

/** A request to verify a key. A restriction refuses a request that lacks a value that it needs. */
export type KeyRequest = {
  /** Every permission that the request is about, whether all or any of them are needed. */
  permissions: readonly string[];
  resource: string | undefined;
  ip: string | undefined;
  origin: string | undefined;
  /** How much of a limit the request takes. */
  cost: number;
  parameters: Readonly<Record<string, string | readonly string[]>>;
};

/** Why a restriction refuses. */
export type RefusalCode =
  | 'ip_not_allowed'
  | 'origin_not_allowed'
  | 'outside_time_window'
  | 'resource_not_allowed'
  | 'value_not_allowed';

export type Refusal = { code: RefusalCode; reason: string };

/** How much may be done in a period: a rate refills all the time, a quota at the turn of the day or month (UTC). */
export type Limit = {
  kind: 'rate' | 'quota';
  /** As it was written, e.g. `1000 requests/minute`. */
  name: string;
  amount: number;
  per: 'second' | 'minute' | 'hour' | 'day' | 'month';
  appliesTo: (request: KeyRequest) => boolean;
};

export type Compiled = {
  check?: (request: KeyRequest, now: Date) => Refusal | undefined;
  limits?: readonly Limit[];
};

/** One kind of restriction: what is written in a key, what it does, and how it reads. */
export type Restriction = {
  schema: z.ZodType;
  /** Done once when a node learns of a key, so that a request costs little. */
  compile: (written: unknown) => Compiled;
  /** In words for a person. */
  explain: (written: unknown) => string;
  /** Whether a credential with the other one is restricted at least as much; never wrongly true. */
  contains: (written: unknown, other: unknown) => boolean;
  /** What is left of a right; for a kind that is nothing else than fewer rights. */
  narrow?: (written: unknown, right: Right) => Right[];
};

type Typed<Schema extends z.ZodType> = {
  schema: Schema;
  compile: (written: z.output<Schema>) => Compiled;
  explain: (written: z.output<Schema>) => string;
  contains: (written: z.output<Schema>, other: z.output<Schema>) => boolean;
  narrow?: (written: z.output<Schema>, right: Right) => Right[];
};

/** Lets a kind speak of what its own schema has parsed. */
export function restriction<Schema extends z.ZodType>(kind: Typed<Schema>): Restriction & { schema: Schema } {
  // What is stored was parsed by this very schema when it was written.
  return kind as unknown as Restriction & { schema: Schema };
}
