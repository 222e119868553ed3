import Provider, { type Client } from 'oidc-provider';
import { matchesSecret } from '../clients/index.ts';
import { type Digest, digest } from '../platform/crypto/index.ts';
import { findClientRecord, type StoreDeps } from './token-store/index.ts';

/** Ways of client authentication; symmetric JWTs would need the secret itself, of which only a digest is stored. */
export const clientAuthMethods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const;

/**
 * Secrets are compared as keyed digests, any live one counts, and only the registered method does: oidc-provider takes a
 * secret from the body for a client registered with Basic (RFC 7591 §2).
 */
export function compareSecretsAsDigests(provider: Provider, deps: StoreDeps): void {
  const { prototype } = provider.Client as unknown as {
    prototype: { compareClientSecret: (this: Client, presented: string) => Promise<boolean> };
  };
  prototype.compareClientSecret = async function compareClientSecret(presented) {
    const cameInBody = Provider.ctx?.oidc.params?.client_secret !== undefined;
    const presentedMethod = cameInBody ? 'client_secret_post' : 'client_secret_basic';
    const record = await findClientRecord(deps, this.clientId);
    const secrets = record?.secrets ?? [];
    const matches = secrets.filter((secret) =>
      matchesSecret(deps.keys, { ...secret, digest: Buffer.from(secret.digest, 'hex') as Digest }, presented),
    );
    return matches.length > 0 && this.clientAuthMethod === presentedMethod;
  };
}

/** One insert decides which of several uses of a `jti` was first; oidc-provider would look, then save. */
export function useEachJtiOnce(provider: Provider, { db }: StoreDeps): void {
  const model = provider.ReplayDetection as unknown as {
    unique: (iss: string, jti: string, exp: number) => Promise<boolean>;
  };
  model.unique = async (iss, jti, exp) => {
    const row = { digest: digest(JSON.stringify([iss, jti])), expires_at: new Date(exp * 1000) };
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('replay_detection')
      .values(row)
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    return numInsertedOrUpdatedRows === 1n;
  };
}

/** A public client may be called from the origins it redirects to, and userinfo by any client from its own. */
export function isAllowedOrigin(ctx: { oidc: { route: string } }, origin: string, client: Client): boolean {
  if (origin === 'null') return false;
  if (ctx.oidc.route !== 'userinfo' && client.clientAuthMethod !== 'none') return false;
  return (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin);
}
