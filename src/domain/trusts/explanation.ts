import type { z } from 'zod';
import type { Db } from '../../platform/database/index.ts';
import type { Assertion } from './assertion.ts';
import { type JudgementDeps, judge } from './judgement.ts';
import type { ExplanationView } from './schemas.ts';
import { findRegistration, type Trust } from './store.ts';
import { workloadClientId } from './workloads.ts';

/** Says what a trust makes of a token; undefined: of a text that is none. Nothing is issued, registered or used. */
export async function explain(
  deps: JudgementDeps & { db: Db },
  trust: Trust,
  assertion: Assertion | undefined,
): Promise<z.input<typeof ExplanationView>> {
  if (!assertion) return { accepted: false, checks: [unreadable], client_id: null, is_registered: false };
  const { checks, trusted } = await judge(deps, trust, assertion);
  const client_id = trusted ? workloadClientId(trust, trusted.subject) : null;
  const is_registered = client_id !== null && (await findRegistration(deps.db, client_id))?.trust_id === trust.id;
  return { accepted: trusted !== undefined, checks: [...checks], client_id, is_registered };
}

const unreadable = {
  check: 'format',
  passed: false,
  detail: 'This is not a signed JWT: three parts in base64url, joined by dots.',
};
