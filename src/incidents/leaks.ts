import { credentialName } from '../access-records/index.ts';
import { looksLikeKey } from '../api-keys/index.ts';
import { appendEvent } from '../audit/index.ts';
import { findLiveSecret, revokeClientSecret, type SecretDeps } from '../clients/index.ts';
import { joined } from '../platform/database/index.ts';
import { type Actor, Problem, system } from '../platform/http/index.ts';
import { type Handle, type RevocationDeps, revoke, whatWouldDie } from '../revocation/index.ts';

/** What is done with a credential that leaked: it ends, or is only told of. */
type LeakPolicy = 'revoke' | 'flag';

export type LeakDeps = RevocationDeps & SecretDeps & { policy: LeakPolicy };

/** A credential that somebody found, and where. */
export type LeakReport = { token: string; type: string; source?: string | undefined; url?: string | undefined };

/**
 * Takes the report of a leak. A live credential of ours ends (or, by policy, stays) and an event `credential.leaked` tells of it, in
 * one transaction.
 *
 * @returns whether it was a live credential of ours
 */
export async function reportLeak(deps: LeakDeps, origin: Actor['origin'], report: LeakReport): Promise<boolean> {
  const actor = { ...system, id: 'secret-scanning', origin };
  const { token, type, source, url } = report;
  return deps.db.transaction().execute((trx) =>
    joined(trx, async () => {
      const isLive = await (token.startsWith('lk_cs_') ? endSecret : endOther)(deps, actor, token);
      if (!isLive) return false;
      await appendEvent(trx, {
        actor,
        action: 'credential.leaked',
        // As access records name it: what was done with it is found there.
        target: { kind: 'credential', id: credentialName(token) },
        details: { type, source, url, policy: deps.policy },
        occurred_at: deps.now(),
      });
      return true;
    }),
  );
}

async function endSecret(deps: LeakDeps, actor: Actor, value: string): Promise<boolean> {
  const found = await findLiveSecret(deps, value);
  if (found && deps.policy === 'revoke') await revokeClientSecret(deps, actor, found);
  return found !== undefined;
}

async function endOther(deps: LeakDeps, actor: Actor, token: string): Promise<boolean> {
  const handle: Handle = looksLikeKey(token) ? { api_keys: { key: token } } : { token };
  const dying = await whatWouldDie(deps, handle).catch(unknown);
  if (!dying || Object.values(dying).every((count) => count === 0)) return false;
  if (deps.policy === 'revoke') await revoke(deps, actor, handle);
  return true;
}

/** What is none of ours is nothing to report. */
function unknown(error: unknown): undefined {
  if (error instanceof Problem && (error.status === 400 || error.status === 404)) return undefined;
  throw error;
}
