import { isDeepStrictEqual } from 'node:util';
import type { TokenReviewSettings } from '../../../db/schema.ts';
import { type SealedPlace, seal, unseal } from '../../platform/crypto/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { TrustInput } from './schemas.ts';
import type { Trust } from './store.ts';

/** The secret that an input brings: at a provider where users sign in, or at a cluster. */
export const secretIn = ({ login, token_review }: TrustInput): string | undefined =>
  login?.client_secret ?? token_review?.token;

/** How a cluster is asked about tokens, without the secret for it. */
export function reviewIn({ token_review }: Pick<TrustInput, 'token_review'>): TokenReviewSettings | null {
  if (!token_review) return null;
  const { url, ca } = token_review;
  return { url, ...(ca !== undefined && { ca }) };
}

/** The token for a cluster is never sent to another one: without it somebody who changes the address would learn it. */
export function withoutStraySecret({ kind, token_review }: Trust, input: TrustInput) {
  if (kind === 'login' || isDeepStrictEqual(token_review, reviewIn(input))) return {};
  return { sealed_secret: null, secret_key_id: null };
}

/** Seals the secret of a trust for its row. */
export function sealSecret(keys: ServerKeys, id: string, secret: string) {
  const { id: secret_key_id, key } = keys.current('provider');
  return { secret_key_id, sealed_secret: seal(key, placeOf(id), secret) };
}

/** The secret of this installation at a provider or a cluster; undefined: it has none. */
export async function secretOf(
  keys: ServerKeys,
  { id, sealed_secret, secret_key_id }: Pick<Trust, 'id' | 'sealed_secret' | 'secret_key_id'>,
): Promise<string | undefined> {
  if (sealed_secret === null || secret_key_id === null) return undefined;
  const { key } = await keys.named(secret_key_id);
  return unseal(key, placeOf(id), sealed_secret).toString();
}

const placeOf = (id: string): SealedPlace => ['trusts', 'sealed_secret', id];
