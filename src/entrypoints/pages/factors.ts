import type { Context } from 'koa';
import { isAllowed } from '../../domain/assurance/index.ts';
import {
  type EnrolmentDeps,
  type FactorProof,
  findOneTimeCodes,
  listPasskeys,
  type ProvingDeps,
  passkeyRequest,
  type RelyingParty,
  relyingPartyOf,
} from '../../domain/users/index.ts';
import { form } from '../../platform/http/index.ts';
import { isFirstUse } from '../oauth/index.ts';
import { csrfToken } from './csrf.ts';
import { type PagesDeps, withMail } from './pages.ts';
import type { FactorFields } from './records/page-shapes.ts';

type Purpose = 'sign-in' | 'step-up';

/** The dependencies of the factor rules. */
export function factorDeps(deps: PagesDeps): ProvingDeps & EnrolmentDeps {
  const { db, issuer, keys, now, policy, refusals, sendEmail, throttles } = withMail(deps);
  return {
    ...{ db, issuer, keys, now, policy, refusals, sendEmail, throttles },
    isFirstUse: (issuedBy, id, until) => isFirstUse(db, issuedBy, id, until),
  };
}

/** The relying party of passkeys; undefined: the issuer is an IP address. */
export function relyingParty({ issuer, config }: Pick<PagesDeps, 'issuer' | 'config'>): RelyingParty | undefined {
  return relyingPartyOf(issuer, config.brandName);
}

/** Options for any passkey of this site. The same for everyone: no user is named yet. */
export async function anyPasskey(deps: PagesDeps, ctx: Context): Promise<string | undefined> {
  const rp = isAllowed(await deps.policy.current(), 'passkey') ? relyingParty(deps) : undefined;
  const challenged = { purpose: 'sign-in', browser: csrfToken(deps, ctx) } as const;
  return rp && JSON.stringify(await passkeyRequest(factorDeps(deps), rp, challenged));
}

/** The factors of a user beside their password; undefined: none. */
export async function factorFieldsOf(
  deps: PagesDeps,
  ctx: Context,
  { user_id, purpose }: { user_id: string; purpose: Purpose },
): Promise<FactorFields | undefined> {
  const [codes, passkeys] = await Promise.all([findOneTimeCodes(deps.db, user_id), listPasskeys(deps.db, user_id)]);
  if (!codes && passkeys.length === 0) return undefined;
  const policy = await deps.policy.current();
  const rp = isAllowed(policy, 'passkey') ? relyingParty(deps) : undefined;
  const challenged = { purpose, browser: csrfToken(deps, ctx) };
  const request = rp && passkeys.length > 0 && (await passkeyRequest(factorDeps(deps), rp, challenged, passkeys));
  const has_code = codes !== undefined && isAllowed(policy, 'totp');
  return {
    has_code,
    // Without an app, the field accepts recovery codes.
    takes_code: has_code || isAllowed(policy, 'recovery_code'),
    passkey: request ? JSON.stringify(request) : undefined,
  };
}

/** The proof in a form; undefined: it was empty. */
export function sentProof(deps: PagesDeps, ctx: Context, purpose: Purpose): FactorProof | undefined {
  const sent = form(ctx);
  const rp = relyingParty(deps);
  const answer = sent.get('passkey') ?? '';
  if (answer && rp) return { kind: 'passkey', answer, rp, challenged: { purpose, browser: csrfToken(deps, ctx) } };
  const code = (sent.get('code') ?? '').trim().slice(0, 64);
  return code ? { kind: 'code', code } : undefined;
}
