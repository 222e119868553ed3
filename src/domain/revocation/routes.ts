import { routesWith } from '../../platform/http/index.ts';
import { type RevocationDeps, revoke, whatWouldDie } from './revocation.ts';
import { mustBeAllowedToEnd } from './rights.ts';
import { RevocationInput, RevocationView } from './schemas.ts';

const route = routesWith<RevocationDeps>();

/** Ending credentials, one verb for every handle. */
export const revocationRoutes = [
  route({
    method: 'POST',
    path: '/revocations',
    summary:
      'End a token, a grant, all of a person, client or API, or all issued up to a moment; needs the permission of what ends, too',
    permission: 'latchkey:token:revoke',
    body: RevocationInput,
    response: RevocationView,
    handle: async ({ actor, body: { handle, dry_run } }, deps) => {
      if (dry_run) {
        await mustBeAllowedToEnd(deps.db, actor, handle);
        return { dry_run, revoked_at: null, died: await whatWouldDie(deps, handle) };
      }
      const { revoked_at, ...died } = await revoke(deps, actor, handle);
      return { dry_run, revoked_at, died };
    },
  }),
];
