import {
  listBuiltInIdentifiers,
  moveResourceServer,
  putResourceServer,
  ResourceServerInput,
} from '../../domain/resource-servers/index.ts';
import { secretsAudience, secretsPermissions } from '../../domain/secrets/index.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { system } from '../../platform/http/index.ts';
import { adminAudience, adminPermissions } from './permissions.ts';

type OwnApi = { identifier: string; name: string; permissions: Readonly<Record<string, string>> };

/**
 * Registers the APIs of this issuer as resource servers, the admin API and the store of secrets, with their permissions of this version,
 * enabled; the token format, lifetime and DPoP setting are not changed. There is one of each: after a change of the issuer it is the same
 * one, under another identifier, with the same entitlements.
 */
export async function registerOwnApis({ db, now }: { db: Db; now: () => Date }, issuer: string): Promise<void> {
  const admin = { identifier: adminAudience(issuer), name: 'Latchkey administration', permissions: adminPermissions };
  const secrets = { identifier: secretsAudience(issuer), name: 'Secrets', permissions: secretsPermissions };
  await inTransaction(db, async (trx) => {
    for (const api of [admin, secrets]) await register(trx, now, api);
  });
}

async function register(trx: Trx, now: () => Date, { identifier, name, permissions }: OwnApi): Promise<void> {
  const scopes = Object.entries(permissions).map(([name, description]) => ({ name, description, sensitive: true }));
  const path = new URL(identifier).pathname;
  const sameApi = (await listBuiltInIdentifiers(trx)).filter((from) => new URL(from).pathname === path);
  // The newest first: it gets the identifier, older ones are merged into it.
  for (const from of sameApi) await moveResourceServer(trx, { now }, system, { from, to: identifier });
  const input = ResourceServerInput.parse({ identifier, name, assignment_required: true, scopes });
  await putResourceServer(trx, { now }, system, input, { builtIn: true });
}
