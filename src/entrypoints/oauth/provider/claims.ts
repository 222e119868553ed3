import type { AccountClaims, ClaimsParameterMember, FindAccount, KoaContextWithOIDC } from 'oidc-provider';
import {
  type ClientDeps,
  findClientRecord,
  readGroups,
  readUser,
  type StoreDeps,
  type UserRecord,
} from '../store/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';

/** The claims of each scope (OpenID Connect Core §5.4). */
export const claimsByScope: Readonly<Record<string, string[]>> = {
  openid: ['sub', 'acr', 'amr'],
  profile: ['name', 'preferred_username', 'updated_at'],
  email: ['email', 'email_verified'],
  groups: ['groups'],
};

const scopeByClaim = new Map(
  Object.entries(claimsByScope).flatMap(([scope, claims]) => claims.map((claim) => [claim, scope] as const)),
);

/** The scopes whose consent covers these claims; claims about the sign-in itself need none. */
export function scopesOfClaims(claims: Iterable<string>): string[] {
  const scopes = [...claims].flatMap((claim) => scopeByClaim.get(claim) ?? []);
  return [...new Set(scopes)].filter((scope) => scope !== 'openid');
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The enabled user of this id. Read once per request. */
export async function findPerson({ reader }: Pick<StoreDeps, 'reader'>, sub: string): Promise<UserRecord | undefined> {
  if (!uuid.test(sub)) return undefined;
  return currentUnit().remember(`user:${sub}`, async () => {
    const row = await reader.find<{ person: UserRecord }>(readUser, sub);
    return row?.person;
  });
}

/**
 * The enabled user of this id, as the library needs it for claims: from its current record, also when tokens are refreshed.
 * oidc-provider keeps only the claims that scopes and consent allow.
 */
export function findAccount(deps: ClientDeps): FindAccount {
  return async (ctx, sub) => {
    const person = await findPerson(deps, sub);
    if (!person) return undefined;
    return {
      accountId: person.id,
      claims: async (use, scope, requested) => {
        const isInGroups = scope.split(' ').includes('groups') || Object.hasOwn(requested, 'groups');
        const all = { ...claimsOf(person), ...(isInGroups && { groups: await groupsOf(deps, person.id) }) };
        return use === 'id_token' ? forIdToken(deps, ctx, all, requested) : all;
      },
    };
  };
}

/** A client may be registered to get only those claims in ID tokens that it names in the `claims` parameter. */
async function forIdToken(
  deps: ClientDeps,
  { oidc }: KoaContextWithOIDC,
  all: AccountClaims,
  requested: Record<string, ClaimsParameterMember | null>,
): Promise<AccountClaims> {
  const client = oidc.client && (await findClientRecord(deps, oidc.client.clientId));
  if (client?.claims_in_id_token) return all;
  const named = Object.entries(all).filter(([claim]) => Object.hasOwn(requested, claim));
  return { ...Object.fromEntries(named), sub: all.sub };
}

function claimsOf(user: UserRecord): AccountClaims {
  const { email, email_verified, name, username } = user;
  return {
    sub: user.id,
    preferred_username: username,
    updated_at: Math.floor(Date.parse(user.updated_at) / 1000),
    ...(name ? { name } : {}),
    ...(email ? { email, email_verified } : {}),
  };
}

/** Names of a user's current exported roles, in order. Read once per request. */
async function groupsOf({ reader }: Pick<StoreDeps, 'reader'>, user_id: string): Promise<string[]> {
  const row = await currentUnit().remember(`groups:${user_id}`, () =>
    reader.find<{ groups: string[] }>(readGroups, user_id),
  );
  return row?.groups ?? [];
}
