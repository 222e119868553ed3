import type { FactorKind } from '../../../db/schema.ts';

/**
 * The authentication context classes (`acr`, OpenID Connect Core §2), from the weakest to the strongest: one factor, two factors, and
 * a passkey, which is phishing-resistant (`phr`, OpenID Connect EAP ACR Values).
 */
export const assuranceClasses = ['urn:latchkey:acr:one-factor', 'urn:latchkey:acr:two-factor', 'phr'] as const;
export type Assurance = (typeof assuranceClasses)[number];

/** The classes that can be required: every sign-in meets the first. */
export const requirableClasses = ['urn:latchkey:acr:two-factor', 'phr'] as const satisfies Assurance[];

export function isRequirable(text: string): text is (typeof requirableClasses)[number] {
  return requirableClasses.some((each) => each === text);
}

export function isAssurance(text: string): text is Assurance {
  return assuranceClasses.some((each) => each === text);
}

/** The authentication method references (RFC 8176) of each factor. */
export const methodsOf = {
  password: ['pwd'],
  /** An account at an identity provider, whatever it requires. */
  provider: ['fed'],
  code: ['otp'],
  /** A code that was written down; `recovery` is not in RFC 8176, and distinguishes it from a code of an app. */
  recoveryCode: ['otp', 'recovery'],
  /** Not in RFC 8176: access to a mailbox does not prove possession of a device (NIST SP 800-63B-4 §3.1.3.1). */
  mailedCode: ['email'],
  /** With its user verified. A passkey that is backed up can leave the device. */
  passkey: ({ is_backed_up }: { is_backed_up: boolean }) => [is_backed_up ? 'swk' : 'hwk', 'user'],
} as const;

const kinds: Readonly<Record<string, FactorKind>> = {
  pwd: 'password',
  fed: 'provider',
  email: 'email_code',
  hwk: 'passkey',
  swk: 'passkey',
};

/** The factors that the methods of a sign-in stand for; methods that only describe it are left out. */
export function kindsIn(amr: readonly string[]): { method: string; kind: FactorKind }[] {
  const ofCode: FactorKind = amr.includes('recovery') ? 'recovery_code' : 'totp';
  return amr.flatMap((method) => {
    const kind = method === 'otp' ? ofCode : kinds[method];
    return kind ? [{ method, kind }] : [];
  });
}

/** The class of a sign-in with these methods. */
export function assuranceOf(amr: readonly string[]): Assurance {
  if (amr.includes('hwk') || amr.includes('swk')) return 'phr';
  return (amr.includes('pwd') || amr.includes('fed')) && amr.includes('otp')
    ? 'urn:latchkey:acr:two-factor'
    : 'urn:latchkey:acr:one-factor';
}

/** The methods of several proofs together; `mfa` states that they are several factors. */
export function together(...methods: readonly (readonly string[])[]): string[] {
  const amr = [...new Set(methods.flat())];
  return assuranceOf(amr) === 'urn:latchkey:acr:one-factor' || amr.includes('mfa') ? amr : [...amr, 'mfa'];
}

/** Whether a class is at least as strong as another one. An unknown class, or none, is the weakest. */
export function isAtLeast(acr: string | undefined | null, required: Assurance): boolean {
  const rank = (each: string | undefined | null) =>
    Math.max(
      0,
      assuranceClasses.findIndex((known) => known === each),
    );
  return rank(acr) >= rank(required);
}

/** The strongest class that several parties require; undefined: none requires one. */
export function strongestOf(required: readonly (string | null | undefined)[]): Assurance | undefined {
  return assuranceClasses.findLast((each) => required.includes(each));
}

/** The weakest of the classes that a request accepts; undefined: it names no known one. */
export function weakestOf(named: readonly string[]): Assurance | undefined {
  return assuranceClasses.find((each) => named.includes(each));
}
