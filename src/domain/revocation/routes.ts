import { routesWith } from '../../platform/http/index.ts';
import { type ByKindDeps, impactOfCredential, revokeCredential } from './by-kind.ts';
import { revocationImpact, revoke } from './revocation.ts';
import { mustBeAllowedToRevoke } from './rights.ts';
import { RevocationInput, RevocationView } from './schemas.ts';

const route = routesWith<ByKindDeps>();

/** Ending credentials, one verb for every handle. */
export const revocationRoutes = [
  route({
    method: 'POST',
    path: '/revocations',
    summary:
      'Revoke a credential, a token, a grant, all of a person, client or API, or all issued up to a moment; needs the permission of what ends, too',
    permission: 'latchkey:token:revoke',
    body: RevocationInput,
    response: RevocationView,
    handle: async ({ actor, body: { handle, dry_run } }, deps) => {
      if ('credential' in handle) {
        const { credential } = handle;
        if (dry_run) return { dry_run, revoked_at: null, died: await impactOfCredential(deps, actor, credential) };
        const { revoked_at, ...died } = await revokeCredential(deps, actor, credential);
        return { dry_run, revoked_at, died };
      }
      if (dry_run) {
        await mustBeAllowedToRevoke(deps.db, actor, handle);
        return { dry_run, revoked_at: null, died: await revocationImpact(deps, handle) };
      }
      const { revoked_at, ...died } = await revoke(deps, actor, handle);
      return { dry_run, revoked_at, died };
    },
  }),
];
