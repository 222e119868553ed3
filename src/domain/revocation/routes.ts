import { routesWith } from '../../platform/http/index.ts';
import { type ByKindDeps, impactOfCredential, revokeCredential } from './by-kind.ts';
import { revocationImpact, revoke } from './revocation.ts';
import { mustBeAllowedToRevoke } from './rights.ts';
import { RevocationInput, RevocationView } from './schemas.ts';

const route = routesWith<ByKindDeps>();

/** Revoking credentials: one operation for every handle. */
export const revocationRoutes = [
  route({
    method: 'POST',
    path: '/revocations',
    summary:
      'Revoke a credential, a token, a grant, a session, everything of a user, client or API, or all tokens issued up to a time; also requires the permission for each kind of credential that it revokes',
    permission: 'latchkey:token:revoke',
    body: RevocationInput,
    response: RevocationView,
    handle: async ({ actor, body: { handle, dry_run } }, deps) => {
      if ('credential' in handle) {
        const { credential } = handle;
        if (dry_run) return { dry_run, revoked_at: null, impact: await impactOfCredential(deps, actor, credential) };
        const { revoked_at, ...impact } = await revokeCredential(deps, actor, credential);
        return { dry_run, revoked_at, impact };
      }
      if (dry_run) {
        await mustBeAllowedToRevoke(deps.db, actor, handle);
        return { dry_run, revoked_at: null, impact: await revocationImpact(deps, handle) };
      }
      const { revoked_at, ...impact } = await revoke(deps, actor, handle);
      return { dry_run, revoked_at, impact };
    },
  }),
];
