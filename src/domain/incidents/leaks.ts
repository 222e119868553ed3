import { z } from 'zod';
import { digest } from '../../platform/crypto/index.ts';
import { inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, Problem, system } from '../../platform/http/index.ts';
import { credentialName } from '../access-records/index.ts';
import { looksLikeKey } from '../api-keys/index.ts';
import { appendEvent } from '../audit/index.ts';
import { findLiveSecret, revokeClientSecret, type SecretDeps } from '../clients/index.ts';
import type { SendEmail } from '../notifications/index.ts';
import { type Handle, type RevocationDeps, revocationImpact, revoke } from '../revocation/index.ts';
import { tokenHandle } from '../tokens/index.ts';
import { findConcerned, type Leaked, lockReports, takeReport } from './store.ts';

/** The policy for leaked credentials: revoke them, or only report them. */
type LeakPolicy = 'revoke' | 'flag';

export type LeakDeps = RevocationDeps &
  SecretDeps & {
    policy: LeakPolicy;
    /** Whether a JWT is one of ours, by its signature: anybody can write one that names somebody else's id. */
    isOurs: (jwt: string) => Promise<boolean>;
    /** Set where there is a mail server. */
    sendEmail?: SendEmail | undefined;
  };

/** A credential that was found in public, and where. */
export type LeakReport = { token: string; type: string; source?: string | undefined; url?: string | undefined };

/**
 * Takes the report of a leak. A live credential of ours ends (or, by policy, stays), an event `credential.leaked` tells of it, and
 * a letter whom it concerns, in one transaction. A report that comes again has no second effect: what ended is not live any more,
 * and what stays is remembered with the place where it was found. Of further places at most three letters a day are written.
 *
 * @returns whether it was a live credential of ours
 */
export async function reportLeak(deps: LeakDeps, origin: Actor['origin'], report: LeakReport): Promise<boolean> {
  const actor = { ...system, id: 'secret-scanning', origin };
  const { token, type, source, url } = report;
  return inTransaction(deps.db, async (trx) => {
    const within = { ...deps, db: trx };
    // Of two reports at once the second sees what the first did.
    await lockReports(trx, digest(token));
    const leaked = await (token.startsWith('lk_cs_') ? endSecret : endOther)(within, actor, token);
    if (!leaked) return false;
    const news = await newsOf(deps, trx, { leaked, source, url });
    if (news === 'known') return true;
    const found_at = [source, webAddress(url)].filter(Boolean).join(' ');
    const told = news === 'quiet' ? 0 : await tell(deps, trx, { leaked, found_at });
    await appendEvent(trx, {
      actor,
      action: 'credential.leaked',
      // As access records name it: what was done with it is found there.
      target: { kind: 'credential', id: credentialName(token) },
      details: { type, source, url, policy: deps.policy, told },
      occurred_at: deps.now(),
    });
    return true;
  });
}

/** Whether a credential that stays active was reported from this place before, and whether enough e-mails were sent about it. */
async function newsOf(
  { policy }: LeakDeps,
  trx: Trx,
  { leaked, source, url }: Pick<LeakReport, 'source' | 'url'> & { leaked: Leaked },
): Promise<'known' | 'quiet' | 'told'> {
  if (policy === 'revoke') return 'told';
  return takeReport(trx, leaked, digest(JSON.stringify([source, url])));
}

/** The reporter controls this text: only a single web address is passed on. */
function webAddress(url: string | undefined): string | undefined {
  const address = url === undefined ? null : URL.parse(url);
  return address && /^https?:$/.test(address.protocol) ? address.href : undefined;
}

const mostLetters = 10;

/** How many were written to. */
async function tell(
  { sendEmail, policy, now }: LeakDeps,
  trx: Trx,
  { leaked, found_at }: { leaked: Leaked; found_at: string },
): Promise<number> {
  const concerned = sendEmail && (await findConcerned(trx, leaked, now()));
  if (!concerned) return 0;
  const { name: credential, recipients } = concerned;
  const email = { kind: 'leak' as const, credential, found_at, still_works: policy === 'flag' };
  // A client's contacts are free text (RFC 7591 §2): one that is no address could name many.
  const usable = recipients.filter(({ to }) => z.email().safeParse(to).success).slice(0, mostLetters);
  for (const { to, language } of usable) await sendEmail(trx, { ...email, to, language: language ?? undefined });
  return usable.length;
}

async function endSecret(deps: LeakDeps, actor: Actor, value: string): Promise<Leaked | undefined> {
  const found = await findLiveSecret(deps, value);
  if (found && deps.policy === 'revoke') await revokeClientSecret(deps, actor, found);
  return found && { secret_of: found.client_id, secret_id: found.secret_id };
}

async function endOther(deps: LeakDeps, actor: Actor, token: string): Promise<Leaked | undefined> {
  try {
    const leaked = looksLikeKey(token) ? { key: digest(token) } : tokenHandle(token);
    if ('jti' in leaked && !(await deps.isOurs(token))) return undefined;
    const handle: Handle = 'key' in leaked ? { api_keys: { key: token } } : { token };
    const impact = await revocationImpact(deps, handle);
    if (Object.values(impact).every((count) => count === 0)) return undefined;
    if (deps.policy === 'revoke') await revoke(deps, actor, handle);
    return leaked;
  } catch (error) {
    // Not a credential of this installation.
    if (error instanceof Problem && (error.status === 400 || error.status === 404)) return undefined;
    throw error;
  }
}
