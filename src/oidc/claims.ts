import type { AccountClaims, FindAccount } from 'oidc-provider';
import { readUser, type StoreDeps, type UserRecord } from './token-store/index.ts';
import { currentUnit } from './token-transaction/index.ts';

/** Which claims each scope gives (OpenID Connect Core §5.4). */
export const claimsByScope = {
  openid: ['sub'],
  profile: ['name', 'preferred_username', 'updated_at'],
  email: ['email', 'email_verified'],
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The enabled user of this id; oidc-provider keeps only the claims that scopes and consent allow. */
export function findAccount({ reader }: Pick<StoreDeps, 'reader'>): FindAccount {
  return async (_ctx, sub) => {
    if (!uuid.test(sub)) return undefined;
    const user = await currentUnit().remember(`user:${sub}`, async () => {
      const row = await reader.find<{ person: UserRecord }>(readUser, sub);
      return row?.person;
    });
    return user && { accountId: user.id, claims: async () => claimsOf(user) };
  };
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
