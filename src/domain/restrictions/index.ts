/** Restrictions: what narrows a key beyond its permissions. One file a kind; here they are put together. */
import { z } from 'zod';
import type { Right } from '../access/index.ts';
import { allowedOrigins } from './allowed-origins.ts';
import { allowedTemplates } from './allowed-templates.ts';
import { allowedValues } from './allowed-values.ts';
import { ipAllowlist } from './ip-allowlist.ts';
import { quota } from './quota.ts';
import { rateLimit } from './rate-limit.ts';
import { resourceServers } from './resource-servers.ts';
import type { Compiled, Restriction } from './restriction.ts';
import { timeWindow } from './time-window.ts';

export type { KeyRequest, Limit, RefusalCode } from './restriction.ts';

// A line a kind, in the order in which they are checked.
const kinds = {
  resource_servers: resourceServers,
  ip_allowlist: ipAllowlist,
  allowed_origins: allowedOrigins,
  time_window: timeWindow,
  allowed_templates: allowedTemplates,
  allowed_values: allowedValues,
  rate_limit: rateLimit,
  quota,
} satisfies Record<string, Restriction>;

type KindName = keyof typeof kinds;
const kindNames = Object.keys(kinds) as KindName[];

type Schemas = { [Kind in keyof typeof kinds]: z.ZodOptional<(typeof kinds)[Kind]['schema']> };
const schemas = Object.fromEntries(
  Object.entries(kinds).map(([name, { schema }]) => [name, schema.optional()]),
) as Schemas;

/** The restrictions of a key as they are written. */
export const Restrictions = z.strictObject(schemas);
export type Restrictions = z.output<typeof Restrictions>;

/** What is checked of every request, and what is counted. */
export type CompiledRestrictions = {
  checks: NonNullable<Compiled['check']>[];
  limits: NonNullable<Compiled['limits']>[number][];
};

/** Prepares restrictions for the requests to come. */
export function compileRestrictions(written: Restrictions): CompiledRestrictions {
  const compiled = present(written).map(([kind, value]) => kind.compile(value));
  return {
    checks: compiled.flatMap(({ check }) => check ?? []),
    limits: compiled.flatMap(({ limits }) => limits ?? []),
  };
}

/** Restrictions in words, one each. */
export function explainRestrictions(written: Restrictions): string[] {
  return present(written).map(([kind, value]) => kind.explain(value));
}

/**
 * The first kind of restriction by which other restrictions are not at least as strict as these; undefined: they are. What is
 * counted (rates, quotas) is compared as it is written: each credential is counted for itself.
 */
export function looserKind(written: Restrictions, other: Restrictions): KindName | undefined {
  // Those that are more than fewer rights first.
  const ordered = [...conditionsIn(written), ...kindNames.filter((name) => (kinds[name] as Restriction).narrow)];
  return ordered.find((name) => {
    if (written[name] === undefined) return false;
    return other[name] === undefined || !(kinds[name] as Restriction).contains(written[name], other[name]);
  });
}

/** What restrictions leave of a right. */
export function narrowed(right: Right, written: Restrictions): Right[] {
  const narrowing = present(written).flatMap(([{ narrow }, value]) => (narrow ? [{ narrow, value }] : []));
  return narrowing.reduce((rights, { narrow, value }) => rights.flatMap((one) => narrow(value, one)), [right]);
}

/** The kinds of restrictions that are more than fewer rights: what cannot carry them would be freer. */
export function conditionsIn(written: Restrictions): KindName[] {
  return kindNames.filter((name) => written[name] !== undefined && !(kinds[name] as Restriction).narrow);
}

function present(written: Restrictions): [Restriction, unknown][] {
  return Object.entries(kinds).flatMap(([name, kind]): [Restriction, unknown][] => {
    const value = written[name as keyof Restrictions];
    return value === undefined ? [] : [[kind, value]];
  });
}
