import { noContent, notThere, type VaultAnswer, VaultError } from './answers.ts';
import { textIn } from './fields.ts';
import type { Asked, VaultDeps, VaultRoute } from './routing.ts';

/** Leases. Reads here have none, so that none is ever found; revoking a missing one succeeds. */
export const leaseRoutes: readonly VaultRoute[] = [
  { path: /^sys\/leases\/lookup(?:\/.*)?$/, route: '/v1/sys/leases/lookup', closed: { write: noLease, list: none } },
  { path: /^sys\/(?:leases\/)?renew(?:\/.*)?$/, route: '/v1/sys/leases/renew', closed: { write: noLease } },
  { path: /^sys\/(?:leases\/)?revoke(?:\/.*)?$/, route: '/v1/sys/leases/revoke', closed: { write: revoke } },
  {
    path: /^sys\/(?:leases\/)?revoke-(?:prefix|force)\/.+$/,
    route: '/v1/sys/leases/revoke-prefix',
    closed: { write: revokeAll },
  },
];

/** @throws VaultError 400 */
async function noLease(_: VaultDeps, { body, request }: Asked): Promise<VaultAnswer> {
  throw new VaultError(400, isNamed({ body, request }) ? 'lease not found' : 'lease_id must be specified');
}

async function revoke(_: VaultDeps, asked: Asked): Promise<VaultAnswer> {
  if (isNamed(asked)) return noContent;
  throw new VaultError(400, 'lease_id must be specified');
}

/** @throws VaultError 404 */
async function none(): Promise<VaultAnswer> {
  throw notThere();
}

async function revokeAll(): Promise<VaultAnswer> {
  return noContent;
}

/** In the body, or, from old clients, in the path. */
function isNamed({ body, request }: Pick<Asked, 'body' | 'request'>): boolean {
  return Boolean(textIn(body, 'lease_id')) || /\/(?:renew|revoke|lookup)\/./.test(request.name);
}
