import type { ConsentedScopes } from '../../../../db/schema.ts';

/** Whether `whole` contains every scope of `part`. */
export function isSubset(part: ConsentedScopes, whole: ConsentedScopes): boolean {
  const isIn =
    (has: string[] = []) =>
    (scope: string) =>
      has.includes(scope);
  const hasResources = Object.entries(part.resources).every(([id, scopes]) => scopes.every(isIn(whole.resources[id])));
  return hasResources && part.openid.every(isIn(whole.openid));
}

/** The requested scopes that are allowed, in the order of the request. */
export function intersection(allowed: ConsentedScopes, asked: ConsentedScopes): ConsentedScopes {
  const resources = Object.entries(asked.resources).map(([identifier, scopes]) => [
    identifier,
    scopes.filter((scope) => allowed.resources[identifier]?.includes(scope)),
  ]);
  return {
    openid: asked.openid.filter((scope) => allowed.openid.includes(scope)),
    resources: Object.fromEntries(resources),
  };
}

/** The scopes of both, each once. */
export function union(a: ConsentedScopes, b: ConsentedScopes): ConsentedScopes {
  const identifiers = [...new Set([...Object.keys(a.resources), ...Object.keys(b.resources)])];
  const resources = identifiers.map((identifier) => [
    identifier,
    merged(a.resources[identifier], b.resources[identifier]),
  ]);
  return { openid: merged(a.openid, b.openid), resources: Object.fromEntries(resources) };
}

const merged = (a: string[] = [], b: string[] = []) => [...new Set([...a, ...b])].filter(Boolean);
