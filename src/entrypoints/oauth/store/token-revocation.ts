import Provider from 'oidc-provider';
import { revokeTokenByHandle, type TokenHandle } from '../../../domain/tokens/index.ts';
import type { Actor } from '../../../platform/http/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';
import type { StoreDeps } from './models.ts';

/** Revokes the token that a client presents at the revocation endpoint (RFC 7009 §2.1), when the unit commits. */
export function revokePresented({ now }: StoreDeps, handle: TokenHandle): void {
  const { operations, origin } = currentUnit();
  const actor: Actor = { kind: 'client', id: Provider.ctx?.oidc.client?.clientId, permissions: [], origin };
  const revoked_at = now();
  operations.push(async (trx) => {
    await revokeTokenByHandle(trx, actor, handle, revoked_at);
  });
}
