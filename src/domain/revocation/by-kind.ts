import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Actor, conflict, notFound } from '../../platform/http/index.ts';
import { mustBePermitted } from '../access/index.ts';
import { countKeys } from '../api-keys/index.ts';
import {
  type Credential,
  type CredentialKind,
  findCredential,
  findKind,
  lockCredential,
} from '../credentials/index.ts';
import type { RevocationDeps, RevocationImpact } from './revocation.ts';
import { countLive } from './store.ts';

export type ByKindDeps = RevocationDeps & { credentialKinds: readonly CredentialKind[] };

/** A credential as the inventory names it. */
export type CredentialHandle = { kind: string; id: string };

type CredentialImpact = RevocationImpact & { other_credentials: number };

type Revocable = CredentialKind & Required<Pick<CredentialKind, 'revoke'>>;

/**
 * Counts what revoking a credential would revoke now.
 *
 * @throws Problem as `revokeCredential` does
 */
export async function impactOfCredential(
  deps: ByKindDeps,
  actor: Actor,
  { kind, id }: CredentialHandle,
): Promise<CredentialImpact> {
  const revocable = kindFor(deps, actor, kind);
  const found = await findCredential(deps.db, revocable, id);
  if (!found) throw notFound(revocable.label.toLowerCase(), id);
  return impactOf(deps.db, revocable, { credential: found, now: deps.now() });
}

/**
 * Revokes one credential of any kind, and everything derived from it: both are refused from the next request on. Repeating it
 * changes and records nothing.
 *
 * @throws Problem `invalid`: there is no such kind; `conflict`: a credential of this kind is replaced, not revoked; `not_found`;
 *   `forbidden`
 */
export async function revokeCredential(
  deps: ByKindDeps,
  actor: Actor,
  { kind, id }: CredentialHandle,
): Promise<CredentialImpact & { revoked_at: Date }> {
  const revocable = kindFor(deps, actor, kind);
  return inTransaction(deps.db, async (trx) => {
    const found = await lockCredential(trx, revocable, id);
    if (!found) throw notFound(revocable.label.toLowerCase(), id);
    const now = deps.now();
    const ended = await impactOf(trx, revocable, { credential: found, now });
    if (found.revoked_at) return { ...ended, revoked_at: found.revoked_at };
    await revocable.revoke.one({ ...deps, db: trx }, actor, id);
    return { ...ended, revoked_at: (await findCredential(trx, revocable, id))?.revoked_at ?? now };
  });
}

function kindFor({ credentialKinds }: ByKindDeps, actor: Actor, name: string): Revocable {
  const kind = findKind(credentialKinds, name, '/handle/credential/kind');
  const { label, revoke } = kind;
  if (!revoke) throw conflict(`A ${label.toLowerCase()} cannot be revoked: replace it with a new one.`);
  mustBePermitted(actor, revoke.permission, 'Revoking this credential');
  return { ...kind, revoke };
}

/** The number of live credentials that revoking a credential revokes: those derived from it, and itself. */
export async function impactOf(
  db: Db,
  { reach }: CredentialKind,
  { credential: { id, state }, now }: { credential: Pick<Credential, 'id' | 'state'>; now: Date },
): Promise<CredentialImpact> {
  const reached = reach?.(id) ?? {};
  const { api_key_id } = reached;
  return {
    ...(await countLive(db, { reach: reached }, now)),
    api_keys: api_key_id === undefined ? 0 : await countKeys(db, { id: api_key_id }, now),
    other_credentials: state === 'active' && !reach ? 1 : 0,
  };
}
