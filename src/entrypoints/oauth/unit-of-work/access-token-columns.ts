import type { Digest } from '../../../platform/crypto/index.ts';

/** The stored values of an access token beside its key and its owners: columns of `access_tokens` and `jwt_access_tokens`. */
export const accessTokenColumns = {
  scope: 'text',
  audience: 'text',
  identity_scope: 'text',
  payload: 'json',
  issued_at: 'timestamptz',
  expires_at: 'timestamptz',
} as const;

/** The owners of an access token, by columns of the same tables that the unit fills for all its writes. */
export const accessTokenOwners = [
  'grant_id',
  'family_id',
  'client_id',
  'user_id',
  'api_key_id',
  'api_key_version',
  'identity_id',
  'trust_id',
  'trust_epoch',
] as const;

/** An access token to be stored: an opaque one by its digest, a JWT by its `jti` and index in a status list. */
export type NewAccessToken = {
  key: { digest: Digest } | { jti: string; status_list_id: number; status_index: number };
  scope: string | undefined;
  audience: string | undefined;
  /** OpenID Connect scopes granted in addition to an audience: userinfo answers with their claims. */
  identity_scope: string | undefined;
  payload: Record<string, unknown>;
  issued_at: Date;
  expires_at: Date;
};
