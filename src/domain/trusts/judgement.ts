import { type CryptoKey, compactVerify } from 'jose';
import { type Assertion, assertionAlgorithms } from './assertion.ts';
import { describeCondition, meets } from './conditions.ts';
import { type IssuerKeys, NoKeyError } from './issuer-keys.ts';
import type { Trust } from './store.ts';

/** One thing that is checked; `passed` is null where an earlier one has to pass first. */
export type Check = { check: string; passed: boolean | null; detail: string };

/** What a token says that a trust accepts. */
export type TrustedAssertion = {
  trust: Trust;
  subject: string;
  expires_at: Date;
  /** Set where the token is accepted once. */
  jti: string | undefined;
  assertion: Assertion;
};

export type Judgement = {
  checks: readonly Check[];
  /** Undefined: a check failed. */
  trusted: TrustedAssertion | undefined;
};

/** `issuer`: of this installation, for whom tokens are meant unless a trust says otherwise. */
type ClaimDeps = { issuer: string; now: () => Date };

export type JudgementDeps = ClaimDeps & { issuerKeys: IssuerKeys };

const toleranceSeconds = 30;
/** A `jti` is remembered until its token expires. */
const longestOneTimeSeconds = 24 * 3600;
const longestSubject = 512;

// Of JWTs that are no assertions, such as access tokens, each has a type of its own (RFC 8725 §3.11).
const plainTypes = [undefined, 'jwt', 'jose'];

/**
 * Judges a token by a trust: who signed it, for whom, when, and about whom (RFC 7523 §3). Every check is made, so that an administrator
 * sees all that is wrong at once.
 *
 * @param claims the checks of the claims, where they were made already
 */
export async function judge(
  deps: JudgementDeps,
  trust: Trust,
  assertion: Assertion,
  claims: readonly Check[] = judgeClaims(deps, trust, assertion),
): Promise<Judgement> {
  const { payload } = assertion;
  const checks = [
    check('trust', trust.enabled, `The trust is ${trust.enabled ? 'enabled' : 'disabled'}.`),
    check('issuer', payload.iss === trust.issuer, `"iss" is ${shown(payload.iss)}; it must be "${trust.issuer}".`),
    ...headerChecks(assertion),
    ...(await signatureChecks(deps, trust, assertion)),
    ...claims,
  ];
  const jti = trust.one_time ? payload.jti : undefined;
  const trusted = {
    trust,
    subject: String(payload.sub),
    expires_at: new Date(Number(payload.exp) * 1000),
    jti,
    assertion,
  };
  return { checks, trusted: isPassed(checks) ? trusted : undefined };
}

/** The first check that failed: why a token is refused. */
export function reasonIn({ checks }: Judgement): string | undefined {
  return checks.find(({ passed }) => passed === false)?.check;
}

/** Whether nothing is wrong. */
export const isPassed = (checks: readonly Check[]): boolean => checks.every(({ passed }) => passed === true);

/** Judges whether the claims are as a trust wants them; their signature is not looked at. */
export function judgeClaims(deps: ClaimDeps, trust: Trust, assertion: Assertion): readonly Check[] {
  const { payload } = assertion;
  const now = Math.floor(deps.now().getTime() / 1000);
  const isSubject = typeof payload.sub === 'string' && payload.sub !== '' && payload.sub.length <= longestSubject;
  const wantedSubject = `a text of up to ${longestSubject} characters`;
  return [
    audienceCheck(payload.aud, trust.audience ?? deps.issuer),
    ...timeChecks(assertion, now),
    check('subject', isSubject, `"sub" is ${shown(payload.sub)}; it must be ${wantedSubject}.`),
    ...trust.conditions.map((condition) =>
      check(`condition on ${condition.claim}`, meets(payload, condition), describeCondition(payload, condition)),
    ),
    ...oneTimeChecks(trust, assertion, now),
  ];
}

const check = (name: string, passed: boolean | null, detail: string): Check => ({ check: name, passed, detail });

/** A value of a token, for an administrator. */
const shown = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value).slice(0, 300));

function headerChecks({ header }: Assertion): Check[] {
  const { alg, typ, cty, crit, kid } = header;
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
  const isType = plainTypes.includes(type as string | undefined) && cty === undefined;
  // What a token says itself about its key would let anyone sign it (RFC 8725 §3.10, CWE-347).
  const own = ['jku', 'jwk', 'x5u', 'x5c'].filter((member) => member in header);
  return [
    check('type', isType, `"typ" is ${shown(typ)}; it must be "JWT" or missing. "cty" is ${shown(cty)}.`),
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
        : `It names a key itself: ${own.join(', ')}.`,
    ),
  ];
}

async function signatureChecks(deps: JudgementDeps, trust: Trust, assertion: Assertion): Promise<Check[]> {
  const { header, text, payload } = assertion;
  const { alg } = header;
  // Only what names the issuer of this trust makes the server look for its keys.
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

/** One audience: each of several could send the token on to the others (CVE-2025-27371). */
function audienceCheck(aud: unknown, audience: string): Check {
  const audiences = [aud].flat();
  return check(
    'audience',
    audiences.length === 1 && audiences[0] === audience,
    `"aud" is ${shown(aud)}; it must be "${audience}" alone.`,
  );
}

function timeChecks({ payload: { exp, nbf, iat } }: Assertion, now: number): Check[] {
  const from = (seconds: unknown) => seconds === undefined || (isTime(seconds) && seconds <= now + toleranceSeconds);
  return [
    check('expiry', isTime(exp) && exp > now - toleranceSeconds, `"exp" is ${shown(exp)}; now is ${now}.`),
    check('not_before', from(nbf), `"nbf" is ${shown(nbf)}; now is ${now}.`),
    check('issued_at', from(iat), `"iat" is ${shown(iat)}; now is ${now}.`),
  ];
}

// Beyond it is no date that PostgreSQL or JavaScript knows.
const latestTime = 253_402_300_799;
const isTime = (seconds: unknown): seconds is number =>
  typeof seconds === 'number' && seconds >= 0 && seconds <= latestTime;

function oneTimeChecks(trust: Trust, { payload: { jti, exp } }: Assertion, now: number): Check[] {
  if (!trust.one_time) return [];
  const isNamed = typeof jti === 'string' && jti !== '';
  const isShort = isTime(exp) && exp <= now + longestOneTimeSeconds;
  return [
    check('one_time', isNamed && isShort, `"jti" is ${shown(jti)}; the token must have one, and expire within a day.`),
  ];
}
