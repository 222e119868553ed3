import type { Client } from 'oidc-provider';
import { isRedirectOrigin } from '../../../domain/clients/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';

/** Members of a client's registration that are ours, and that the provider stores with the client. */
export const ownClientMembers = ['allowed_cors_origins'] as const;

/**
 * Whether a page of this origin may call an endpoint as this client. Public clients may be called from the origins of their redirect URIs,
 * userinfo by any client from these, and each client from the origins that its registration lists. An API key itself limits the pages that
 * may use it; CORS does not add to that.
 */
export function isAllowedOrigin(ctx: { oidc: { route: string } }, origin: string, client: Client): boolean {
  if (currentUnit().presentedKey) return true;
  // The origin of sandboxed pages of every site (RFC 6454 §6.2).
  if (origin === 'null') return false;
  if (listedOrigins(client).includes(origin)) return true;
  if (ctx.oidc.route !== 'userinfo' && client.clientAuthMethod !== 'none') return false;
  const isNative = client.applicationType === 'native';
  return isRedirectOrigin(origin, { redirect_uris: client.redirectUris ?? [], isNative });
}

function listedOrigins(client: Client): readonly unknown[] {
  const { allowed_cors_origins: listed } = client as { allowed_cors_origins?: unknown };
  return Array.isArray(listed) ? listed : [];
}
