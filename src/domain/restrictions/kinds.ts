import { allowedOrigins } from './allowed-origins.ts';
import { allowedTemplates } from './allowed-templates.ts';
import { allowedValues } from './allowed-values.ts';
import { ipAllowlist } from './ip-allowlist.ts';
import { maxCost } from './max-cost.ts';
import { quota } from './quota.ts';
import { rateLimit } from './rate-limit.ts';
import { resourceServers } from './resource-servers.ts';
import type { Restriction } from './restriction.ts';
import { timeWindow } from './time-window.ts';
import { unknownKind } from './unknown-kind.ts';

/** Every kind of restriction by its name in a key, in the order in which they are checked. */
export const kinds = {
  resource_servers: resourceServers,
  ip_allowlist: ipAllowlist,
  allowed_origins: allowedOrigins,
  time_window: timeWindow,
  allowed_templates: allowedTemplates,
  allowed_values: allowedValues,
  max_cost: maxCost,
  rate_limit: rateLimit,
  quota,
} satisfies Record<string, Restriction>;

export type KindName = keyof typeof kinds;

type WrittenKind = { name: string; kind: ReturnType<typeof unknownKind>; value: unknown };

/** The kinds of restrictions in a key, with their values; kinds that this version does not know come first. */
export function writtenKinds(written: Readonly<Record<string, unknown>>): WrittenKind[] {
  const unknown = Object.keys(written).filter((name) => !Object.hasOwn(kinds, name));
  const known = Object.entries(kinds).filter(([name]) => written[name] !== undefined);
  const of = (name: string, kind: WrittenKind['kind']) => ({ name, kind, value: written[name] });
  return [...unknown.map((name) => of(name, unknownKind(name))), ...known.map(([name, kind]) => of(name, kind))];
}
