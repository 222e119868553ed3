import { z } from 'zod';
import { digest } from '../../platform/crypto/index.ts';
import { inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, system } from '../../platform/http/index.ts';
import { credentialName } from '../access-records/index.ts';
import { appendEvent } from '../audit/index.ts';
import {
  type Credential,
  type CredentialDeps,
  type CredentialKind,
  type FindingDeps,
  lockCredential,
} from '../credentials/index.ts';
import type { SendEmail } from '../notifications/index.ts';
import { impactOf } from '../revocation/index.ts';
import { mailLanguageOf } from '../users/index.ts';
import { findConcerned, type Leaked, lockReports, takeReport } from './store.ts';

/** The policy for leaked credentials: revoke them, or only report them. */
type LeakPolicy = 'revoke' | 'flag';

export type LeakDeps = FindingDeps &
  CredentialDeps & {
    credentialKinds: readonly CredentialKind[];
    policy: LeakPolicy;
    /** Set if there is a mail server. */
    sendEmail?: SendEmail | undefined;
  };

/** A credential that was found in public, and where. */
export type LeakReport = { token: string; type: string; source?: string | undefined; url?: string | undefined };

/**
 * Handles the report of a leak. An active credential of ours is revoked (or, by policy, stays), and an event `credential.leaked` and an
 * e-mail to its owner are recorded, in one transaction. A repeated report has no further effect: a revoked credential is not active any
 * more, and a place is stored with a credential that stays. For further places at most three e-mails a day are sent.
 *
 * @returns whether it was an active credential of ours
 */
export async function reportLeak(deps: LeakDeps, origin: Actor['origin'], report: LeakReport): Promise<boolean> {
  const actor = { ...system, id: 'secret-scanning', origin };
  const { token, type, source, url } = report;
  return inTransaction(deps.db, async (trx) => {
    const within = { ...deps, db: trx };
    // Of two reports at once the second sees the effect of the first.
    await lockReports(trx, digest(token));
    const leaked = await handle(within, actor, token);
    if (!leaked) return false;
    const news = await newsOf(deps, trx, { leaked, source, url });
    if (news === 'known') return true;
    const found_at = [source, webAddress(url)].filter(Boolean).join(' ');
    const told = news === 'quiet' ? 0 : await tell(deps, trx, { leaked, found_at });
    await appendEvent(trx, {
      actor,
      action: 'credential.leaked',
      // The identifier in access records, where its uses can be found.
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

/** The number of e-mails. */
async function tell(
  { sendEmail, policy, now }: LeakDeps,
  trx: Trx,
  { leaked, found_at }: { leaked: Leaked; found_at: string },
): Promise<number> {
  if (!sendEmail) return 0;
  const recipients = await findConcerned(trx, leaked.owner_id, now());
  const { names } = leaked;
  const credential = { credential: names.en, credential_in: names };
  const email = { kind: 'leak' as const, ...credential, found_at, still_works: policy === 'flag' };
  // A client's contacts are free text (RFC 7591 §2): an invalid address could contain many.
  const usable = recipients.filter(({ to }) => z.email().safeParse(to).success).slice(0, mostLetters);
  for (const { to, ...languages } of usable)
    await sendEmail(trx, { ...email, to, language: mailLanguageOf(languages) });
  return usable.length;
}

/** The credential of this value, if a revocation would change something; the policy decides whether it is revoked. */
async function handle(deps: LeakDeps & { db: Trx }, actor: Actor, value: string): Promise<Leaked | undefined> {
  for (const kind of deps.credentialKinds) {
    const found = await kind.leak?.find(deps, value);
    if (!kind.leak || !found) continue;
    const credential = await lockCredential(deps.db, kind, found.id);
    if (!credential || !(await isLive(deps, kind, credential))) return undefined;
    const names = await kind.leak.nameOf(deps.db, credential, value);
    if (deps.policy === 'revoke') await kind.revoke?.one(deps, actor, found.id);
    return { kind: kind.kind, names, owner_id: credential.owner?.id ?? null, ...found };
  }
  return undefined;
}

/** A disabled credential counts as active: after it is enabled, the finder could use it. */
async function isLive({ db, now }: LeakDeps, kind: CredentialKind, credential: Credential): Promise<boolean> {
  if (!kind.reach) return true;
  const impact = await impactOf(db, kind, { credential, now: now() });
  return Object.values(impact).some((count) => count > 0);
}
