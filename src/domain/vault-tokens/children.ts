import { type Digest, digest } from '../../platform/crypto/index.ts';
import { inTransaction } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import { generateAccessToken } from '../tokens/index.ts';
import { findVaultToken, holdParent, insertChild, type ParentToken, type VaultToken } from './store.ts';
import { type Login, note, type VaultTokenDeps } from './vault-tokens.ts';

/** What a token that another one creates may do, and for how long at most. */
export type ChildToken = Omit<Login, 'ttl_seconds'> & {
  scopes: readonly string[];
  /** Further claims of the token, in place of those of its parent. */
  marks: Readonly<Record<string, unknown>>;
  seconds: number;
};

/**
 * Creates a token with the owners of another one, so that every revocation of that one revokes it, too. It expires no later, and cannot be
 * renewed beyond.
 *
 * @param parent the value of the other token, whose rights the caller has compared with `scopes`
 * @returns undefined: the other token is not active any more
 */
export async function createChildToken(
  { db, now }: VaultTokenDeps,
  actor: Actor,
  { parent, child }: { parent: string; child: ChildToken },
): Promise<{ token: string; noted: VaultToken } | undefined> {
  const token = generateAccessToken();
  const of = digest(parent);
  return inTransaction(db, async (trx) => {
    const created_at = now();
    // From here on a revocation of the parent revokes this one, too.
    const held = await holdParent(trx, of, created_at);
    if (!held) return undefined;
    const { scopes, marks, seconds, ...login } = child;
    const scope = scopes.join(' ');
    const wanted = new Date(created_at.getTime() + seconds * 1000);
    const expires_at = wanted < held.until ? wanted : held.until;
    const payload = payloadOf(held, { scope, marks });
    await insertChild(trx, of, { digest: digest(token), scope, payload, expires_at });
    const ttl_seconds = Math.floor((expires_at.getTime() - created_at.getTime()) / 1000);
    const latest = (await findVaultToken(trx, of))?.ends_at ?? held.until;
    const noted = await note(trx, digest(token), { ...login, ttl_seconds, created_at, latest, parent: of });
    await appendEvent(trx, { actor, ...eventOf(held, { parent: of, scope }), occurred_at: created_at });
    return { token, noted };
  });
}

/** Userinfo is not for it: the parent's claims about the user are left out. */
function payloadOf({ payload }: ParentToken, { scope, marks }: { scope: string; marks: ChildToken['marks'] }) {
  const { claims: _, ...kept } = payload;
  return { ...kept, scope, ...marks };
}

function eventOf(
  { user_id, client: client_id, grant_id, audience }: ParentToken,
  { parent, scope }: { parent: Digest; scope: string },
) {
  return {
    action: 'access_token.issued' as const,
    target: user_id ? { kind: 'user', id: user_id } : { kind: 'client', id: client_id },
    details: {
      ...{ grant_type: 'child_token', client_id, scope, audience, parent: parent.toString('hex').slice(0, 16) },
      ...(grant_id && { grant_id }),
    },
  };
}
