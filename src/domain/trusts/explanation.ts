import type { z } from 'zod';
import type { Db } from '../../platform/database/index.ts';
import { isSeen } from '../../platform/http/index.ts';
import { findStandingIdentity } from '../identities/index.ts';
import type { Assertion } from './assertion.ts';
import { type Judgement, type JudgementDeps, judge, type TrustedAssertion } from './judgement.ts';
import type { ExplanationView } from './schemas.ts';
import { findRegistration, type Trust } from './store.ts';
import { workloadClientId } from './workloads.ts';

type Explanation = z.input<typeof ExplanationView>;

/** Explains how a trust judges a token; undefined: the text is not a token. Nothing is issued, registered or used. */
export async function explain(
  deps: JudgementDeps & { db: Db },
  trust: Trust,
  assertion: Assertion | undefined,
): Promise<Explanation> {
  if (!assertion) return { ...refused, checks: [unreadable] };
  const { checks, trusted } = await judge(deps, trust, assertion);
  if (!trusted) return { ...refused, checks: [...checks] };
  return trust.kind === 'id_jag' ? ofUser(deps, checks, trusted) : ofWorkload(deps, checks, trusted);
}

const refused = { accepted: false, client_id: null, is_registered: false, user: null };

async function ofWorkload(
  { db }: { db: Db },
  checks: Judgement['checks'],
  { trust, subject }: TrustedAssertion,
): Promise<Explanation> {
  const client_id = workloadClientId(trust, subject);
  const is_registered = (await findRegistration(db, client_id))?.trust_id === trust.id;
  return { accepted: true, checks: [...checks], client_id, is_registered, user: null };
}

async function ofUser(
  { db }: { db: Db },
  checks: Judgement['checks'],
  { trust, subject, assertion }: TrustedAssertion,
): Promise<Explanation> {
  const client_id = String(assertion.payload.client_id);
  const identity = await findStandingIdentity(db, { issuer: trust.issuer, subject });
  const is_registered = isSeen(client_id) && (await findRegistration(db, client_id)) !== undefined;
  const found = [
    {
      check: 'user',
      passed: identity !== undefined,
      detail: identity
        ? `This account is linked to ${identity.username}.`
        : 'This account is linked to no user, or to one who is disabled.',
    },
    {
      check: 'client_registered',
      passed: is_registered,
      detail: is_registered ? 'The client exists; it must authenticate.' : 'There is no client with this client_id.',
    },
  ];
  const accepted = found.every(({ passed }) => passed);
  return { accepted, checks: [...checks, ...found], client_id, is_registered, user: identity?.username ?? null };
}

const unreadable = {
  check: 'format',
  passed: false,
  detail: 'This is not a signed JWT: three parts in base64url, joined by dots.',
};
