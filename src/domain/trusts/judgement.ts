import { type CryptoKey, compactVerify } from 'jose';
import { type Assertion, assertionAlgorithms } from './assertion.ts';
import { describeCondition, meets } from './conditions.ts';
import { type IssuerKeys, NoKeyError } from './issuer-keys.ts';
import { assertionRulesOf } from './kinds.ts';
import type { Trust } from './store.ts';
import type { TokenReviews } from './token-reviews.ts';
import { unknownSettings } from './unknown-settings.ts';

/** One check; `passed` is null if an earlier one has to pass first. */
export type Check = { check: string; passed: boolean | null; detail: string };

/** The verified content of an accepted token. */
export type TrustedAssertion = {
  trust: Trust;
  subject: string;
  expires_at: Date;
  /** Set if the token is accepted once. */
  jti: string | undefined;
  assertion: Assertion;
};

export type Judgement = {
  checks: readonly Check[];
  /** Undefined: a check failed. */
  trusted: TrustedAssertion | undefined;
};

/** `issuer`: of this installation, the expected audience unless a trust names another. */
type ClaimDeps = { issuer: string; now: () => Date };

export type JudgementDeps = ClaimDeps & { issuerKeys: IssuerKeys; tokenReviews: TokenReviews };

const toleranceSeconds = 30;
const longestSubject = 512;

/**
 * Judges a token by a trust: signer, audience, time and subject (RFC 7523 §3). It makes every check, so that an administrator sees all
 * errors at once.
 *
 * @param claims the checks of the claims, if they were made already
 */
export async function judge(
  deps: JudgementDeps,
  trust: Trust,
  assertion: Assertion,
  claims: readonly Check[] = judgeClaims(deps, trust, assertion),
): Promise<Judgement> {
  const { payload } = assertion;
  const made = [
    ...versionChecks(trust),
    check('trust', trust.enabled, `The trust is ${trust.enabled ? 'enabled' : 'disabled'}.`),
    check('issuer', payload.iss === trust.issuer, `"iss" is ${shown(payload.iss)}; it must be "${trust.issuer}".`),
    judgeType(trust, assertion),
    ...headerChecks(assertion),
    ...(await signatureChecks(deps, trust, assertion)),
    ...claims,
  ];
  const checks = trust.token_review ? [...made, await reviewCheck(deps, trust, { assertion, made })] : made;
  const jti = isOneTime(trust) ? payload.jti : undefined;
  const trusted = {
    trust,
    subject: String(payload.sub),
    expires_at: new Date(Number(payload.exp) * 1000),
    jti,
    assertion,
  };
  return { checks, trusted: isPassed(checks) ? trusted : undefined };
}

/** A requirement of a newer version, while nodes of both run, cannot be checked here. */
function versionChecks(trust: Trust): Check[] {
  const unknown = unknownSettings(trust);
  const detail = `Only a newer version of Latchkey knows these settings of this trust: ${unknown.join(', ')}. Update this node.`;
  return unknown.length > 0 ? [check('version', false, detail)] : [];
}

/** Asks the cluster last: only about tokens that passed all other checks. */
async function reviewCheck(
  { tokenReviews, issuer }: JudgementDeps,
  trust: Trust,
  { assertion, made }: { assertion: Assertion; made: readonly Check[] },
): Promise<Check> {
  if (!isPassed(made)) return check(tokenReviewCheck, null, 'The cluster was not asked.');
  const { passed, detail } = await tokenReviews.ask(trust, assertion, trust.audience ?? issuer);
  return check(tokenReviewCheck, passed, detail);
}

/** The name of the check by the cluster. */
const tokenReviewCheck = 'token_review';

/** Why a cluster refused a token. */
export function reviewRefusalIn({ checks }: Judgement): string | undefined {
  return checks.find(({ check: name, passed }) => name === tokenReviewCheck && passed === false)?.detail;
}

/** The first failed check: the reason for the refusal. */
export function reasonIn({ checks }: Judgement): string | undefined {
  return checks.find(({ passed }) => passed === false)?.check;
}

/** Whether all checks passed. */
export const isPassed = (checks: readonly Check[]): boolean => checks.every(({ passed }) => passed === true);

/** Checks the claims by the requirements of a trust; their signature is not checked. */
export function judgeClaims(deps: ClaimDeps, trust: Trust, assertion: Assertion): readonly Check[] {
  const { payload } = assertion;
  const now = Math.floor(deps.now().getTime() / 1000);
  const isSubject = typeof payload.sub === 'string' && payload.sub !== '' && payload.sub.length <= longestSubject;
  const wantedSubject = `a text of up to ${longestSubject} characters`;
  return [
    audienceCheck(payload.aud, ownAudiences(trust, deps.issuer)),
    ...timeChecks(assertion, now),
    check('subject', isSubject, `"sub" is ${shown(payload.sub)}; it must be ${wantedSubject}.`),
    ...trust.conditions.map((condition) =>
      check(`condition on ${condition.claim}`, meets(payload, condition), describeCondition(payload, condition)),
    ),
    ...oneTimeChecks(trust, assertion, now),
    ...(trust.kind === 'id_jag' ? identityChecks(assertion) : []),
  ];
}

const check = (name: string, passed: boolean | null, detail: string): Check => ({ check: name, passed, detail });

/** A value of a token, for an administrator. */
const shown = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, 300));

/** Checks whether a JWT has the type that a trust of this kind accepts. */
export function judgeType({ kind }: Pick<Trust, 'kind'>, { header: { typ, cty } }: Assertion): Check {
  const rules = assertionRulesOf(kind);
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
  const isType = rules?.types.includes(type) === true && cty === undefined;
  const wanted = rules ? `it must be ${rules.inWords}` : `a trust of the kind "${kind}" accepts no token`;
  return check('type', isType, `"typ" is ${shown(typ)}; ${wanted}. "cty" is ${shown(cty)}.`);
}

function headerChecks({ header }: Assertion): Check[] {
  const { alg, crit, kid } = header;
  // A key in the token's own header would let anyone sign it (RFC 8725 §3.10, CWE-347).
  const own = ['jku', 'jwk', 'x5u', 'x5c'].filter((member) => member in header);
  return [
    check(
      'algorithm',
      typeof alg === 'string' && assertionAlgorithms.includes(alg),
      `"alg" is ${shown(alg)}; it must be one of ${assertionAlgorithms.join(', ')}.`,
    ),
    check(
      'header',
      own.length === 0 && crit === undefined && (kid === undefined || typeof kid === 'string'),
      own.length === 0
        ? `"crit" is ${shown(crit)}, "kid" is ${shown(kid)}.`
        : `It must not contain its own key: ${own.join(', ')}.`,
    ),
  ];
}

async function signatureChecks(deps: JudgementDeps, trust: Trust, assertion: Assertion): Promise<Check[]> {
  const { header, text, payload } = assertion;
  const { alg } = header;
  // The cluster verifies the signature, too.
  if (trust.token_review && !trust.jwks && !trust.jwks_uri) return [];
  // The server looks for the issuer's keys only if the token names the issuer of this trust.
  const mayLook = payload.iss === trust.issuer && typeof alg === 'string' && assertionAlgorithms.includes(alg);
  if (!mayLook) return [check('key', null, 'Not looked for.'), check('signature', null, 'Not verified.')];
  const key = await findKey(deps, trust, assertion);
  if (typeof key === 'string')
    return [check('key', false, `No key: ${key}.`), check('signature', null, 'Not verified.')];
  const isSigned = await compactVerify(text, key, { algorithms: [alg] }).then(
    () => true,
    () => false,
  );
  return [
    check('key', true, `Found at the issuer${header.kid ? `: ${shown(header.kid)}` : ''}.`),
    check('signature', isSigned, isSigned ? 'Verified.' : 'The key of the issuer did not sign this.'),
  ];
}

async function findKey(
  { issuerKeys }: JudgementDeps,
  trust: Trust,
  { header }: Assertion,
): Promise<CryptoKey | string> {
  try {
    return await issuerKeys.find(trust, { ...header, alg: String(header.alg) });
  } catch (error) {
    if (error instanceof NoKeyError) return error.message;
    throw error;
  }
}

/**
 * This server's names. The token endpoint is one for workloads (RFC 7523 §3): platforms of agents name it, often beside the issuer
 * (draft-carleton-workload-authz-grant).
 */
function ownAudiences({ kind, audience }: Pick<Trust, 'kind' | 'audience'>, issuer: string): readonly string[] {
  if (audience) return [audience];
  return kind === 'workload' ? [issuer, `${issuer}/oauth/token`] : [issuer];
}

/** No audience but this server: each of several could use the token at the others (CVE-2025-27371). */
function audienceCheck(aud: unknown, own: readonly unknown[]): Check {
  const audiences = [aud].flat();
  const wanted = own.length === 1 ? `${shown(own[0])} alone` : `${own.map(shown).join(' or ')}, and no other`;
  return check(
    'audience',
    audiences.length > 0 && audiences.every((each) => own.includes(each)),
    `"aud" is ${shown(aud)}; it must be ${wanted}.`,
  );
}

function timeChecks({ payload: { exp, nbf, iat } }: Assertion, now: number): Check[] {
  const from = (seconds: unknown) => seconds === undefined || (isTime(seconds) && seconds <= now + toleranceSeconds);
  const nowIs = `now is ${timeShown(now)}`;
  return [
    check('expiry', isTime(exp) && exp > now - toleranceSeconds, `"exp" is ${timeShown(exp)}; ${nowIs}.`),
    check('not_before', from(nbf), `"nbf" is ${timeShown(nbf)}; ${nowIs}.`),
    check('issued_at', from(iat), `"iat" is ${timeShown(iat)}; ${nowIs}.`),
  ];
}

// PostgreSQL and JavaScript have no later dates.
const latestTime = 253_402_300_799;
const isTime = (seconds: unknown): seconds is number =>
  typeof seconds === 'number' && seconds >= 0 && seconds <= latestTime;

/** A time with its calendar date. */
const timeShown = (seconds: unknown): string =>
  isTime(seconds) ? `${seconds} (${new Date(seconds * 1000).toISOString()})` : shown(seconds);

function oneTimeChecks(trust: Trust, { payload: { jti, exp } }: Assertion, now: number): Check[] {
  if (!isOneTime(trust)) return [];
  const seconds = assertionRulesOf(trust.kind)?.longestOneTimeSeconds ?? 0;
  const isNamed = typeof jti === 'string' && jti !== '' && jti.length <= longestSubject;
  const isShort = isTime(exp) && exp <= now + seconds;
  const wanted = `the token must have one, and expire within ${seconds / 3600} hours`;
  return [check('one_time', isNamed && isShort, `"jti" is ${shown(jti)}; ${wanted}.`)];
}

/** Assertions about users are always accepted once. */
const isOneTime = ({ kind, one_time }: Pick<Trust, 'kind' | 'one_time'>) => one_time || kind === 'id_jag';

/** Further checks of an assertion about a user: its client, time, and scope (draft-ietf-oauth-identity-assertion-authz-grant §3). */
function identityChecks({ payload: { client_id, iat, scope, resource } }: Assertion): Check[] {
  const isText = (value: unknown) => typeof value === 'string' && value !== '' && value.length <= longestText;
  const resources = resource === undefined ? [] : [resource].flat();
  return [
    check('client', isText(client_id), `"client_id" is ${shown(client_id)}; it must be that of the client.`),
    check('issued_at', isTime(iat), `"iat" is ${shown(iat)}; it must be a time.`),
    check('scope', scope === undefined || typeof scope === 'string', `"scope" is ${shown(scope)}.`),
    check(
      'resource',
      resources.length <= mostResources && resources.every(isText),
      `"resource" is ${shown(resource)}; it must be an API, or a list of them.`,
    ),
  ];
}

const longestText = 512;
const mostResources = 20;
