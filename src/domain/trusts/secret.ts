import { isDeepStrictEqual } from 'node:util';
import type { TokenReviewSettings } from '../../../db/schema.ts';
import type { SealedPlace } from '../../platform/crypto/index.ts';
import { openForProvider, type ServerKeys, sealForProvider } from '../../platform/keys/index.ts';
import type { TrustInput } from './schemas.ts';
import type { Trust } from './store.ts';

/** The secret in an input: for an identity provider, or for a cluster. */
export const secretIn = ({ login, token_review }: TrustInput): string | undefined =>
  login?.client_secret ?? token_review?.token;

/** How a cluster reviews tokens, without the secret for it. */
export function reviewIn({ token_review }: Pick<TrustInput, 'token_review'>): TokenReviewSettings | null {
  if (!token_review) return null;
  const { url, ca } = token_review;
  return { url, ...(ca !== undefined && { ca }) };
}

/** The token for a cluster is never sent to another one: otherwise a user who changes the address would learn it. */
export function withoutStraySecret({ kind, token_review }: Trust, input: TrustInput) {
  if (kind === 'login' || isDeepStrictEqual(token_review, reviewIn(input))) return {};
  return { sealed_secret: null, secret_key_id: null };
}

/** Seals the secret of a trust for its row. */
export function sealSecret(keys: ServerKeys, id: string, secret: string) {
  const { key_id: secret_key_id, sealed: sealed_secret } = sealForProvider(keys, placeOf(id), secret);
  return { secret_key_id, sealed_secret };
}

/** The secret of this installation at a provider or a cluster; undefined: it has none. */
export async function secretOf(
  keys: ServerKeys,
  { id, sealed_secret, secret_key_id }: Pick<Trust, 'id' | 'sealed_secret' | 'secret_key_id'>,
): Promise<string | undefined> {
  return openForProvider(keys, placeOf(id), { key_id: secret_key_id, sealed: sealed_secret });
}

const placeOf = (id: string): SealedPlace => ['trusts', 'sealed_secret', id];
