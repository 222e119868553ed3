import { isIP } from 'node:net';
import { z } from 'zod';
import { once } from '../../../platform/caching/index.ts';
import type { Trx } from '../../../platform/database/index.ts';
import { methodsOf } from '../../assurance/index.ts';
import { type CarryDeps, carriedState, carry } from './carried-state.ts';
import { findPasskey, notePasskeyUse, type Passkey } from './store.ts';

/** The relying party (WebAuthn Level 3 §4): the issuer's host. */
export type RelyingParty = { id: string; origin: string; name: string };

export type PasskeyDeps = CarryDeps & {
  issuer: string;
  /** Records that a challenge was answered; false: it was answered before. */
  isFirstUse: (issuer: string, id: string, expiresAtSeconds: number) => Promise<boolean>;
};

/** The purpose of a challenge, and its browser. */
export type Challenged = { purpose: 'sign-in' | 'step-up' | 'passkey'; browser: string };

// Loaded with the first sign-in page, so that neither a start nor a command waits for it.
const webAuthn = once(() => import('@simplewebauthn/server'));

const challengeSeconds = 30 * 60;

/** The relying party of an installation; undefined: its issuer is an IP address, for which passkeys cannot be created. */
export function relyingPartyOf(issuer: string, name: string): RelyingParty | undefined {
  const { hostname, origin } = new URL(issuer);
  const isAddress = isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
  return isAddress ? undefined : { id: hostname, origin, name };
}

/** A challenge that needs no row: it is sealed for this purpose and browser, and accepted once. */
function challengeFor(deps: PasskeyDeps, { purpose, browser }: Challenged): string {
  return carry(deps, { purpose: `${purpose} challenge`, browser, seconds: challengeSeconds }, null);
}

const isChallengeOf =
  (deps: PasskeyDeps, { purpose, browser }: Challenged) =>
  (challenge: string) =>
    carriedState(deps, { purpose: `${purpose} challenge`, browser }, challenge) === null;

/** The options for proving a passkey: any one, or one of these. User verification is always required. */
export async function passkeyRequest(
  deps: PasskeyDeps,
  { id: rpID }: RelyingParty,
  challenged: Challenged,
  allowed: readonly Passkey[] = [],
) {
  const { generateAuthenticationOptions } = await webAuthn();
  return generateAuthenticationOptions({
    rpID,
    challenge: Buffer.from(challengeFor(deps, challenged), 'base64url'),
    userVerification: 'required',
    timeout: challengeSeconds * 1000,
    ...(allowed.length > 0 && { allowCredentials: allowed.map(idAndTransports) }),
  });
}

/** The options for creating a passkey for a user, in addition to the existing ones. */
export async function passkeyCreation(
  deps: PasskeyDeps,
  { id: rpID, name: rpName }: RelyingParty,
  {
    browser,
    user,
    present,
  }: { browser: string; user: { id: string; username: string; name: string | null }; present: readonly Passkey[] },
) {
  const { generateRegistrationOptions } = await webAuthn();
  return generateRegistrationOptions({
    rpID,
    rpName,
    userID: Buffer.from(user.id),
    userName: user.username,
    userDisplayName: user.name ?? user.username,
    challenge: Buffer.from(challengeFor(deps, { purpose: 'passkey', browser }), 'base64url'),
    timeout: challengeSeconds * 1000,
    attestationType: 'none',
    excludeCredentials: present.map(idAndTransports),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
}

const idAndTransports = ({ passkey_id, transports }: Passkey) => ({
  id: passkey_id.toString('base64url'),
  transports: transports as never[],
});

const base64url = z.base64url().max(16_384);
const Answer = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  clientExtensionResults: z.object({}).default({}),
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url.optional(),
    signature: base64url.optional(),
    userHandle: base64url.nullish(),
    attestationObject: base64url.optional(),
    transports: z.array(z.string().max(32)).max(10).optional(),
  }),
});

/** The response of a browser; undefined if it is malformed. */
function answerIn(text: string) {
  try {
    return Answer.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export type MadePasskey = Pick<Passkey, 'passkey_id' | 'public_key' | 'transports' | 'is_backed_up'> & {
  sign_count: number;
};

/** Verifies the response to a creation (WebAuthn Level 3 §7.1); undefined: it is not valid for this browser and origin. */
export async function madePasskey(
  deps: PasskeyDeps,
  rp: RelyingParty,
  { browser, answer }: { browser: string; answer: string },
): Promise<MadePasskey | undefined> {
  const response = answerIn(answer);
  if (!response?.response.attestationObject) return undefined;
  const { verifyRegistrationResponse } = await webAuthn();
  const verified = await verifyRegistrationResponse({
    response: response as never,
    expectedChallenge: isChallengeOf(deps, { purpose: 'passkey', browser }),
    expectedOrigin: rp.origin,
    expectedRPID: rp.id,
    requireUserVerification: true,
  }).catch(() => undefined);
  if (!verified?.verified || !(await isNewAnswer(deps, response.response.clientDataJSON))) return undefined;
  const { credential, credentialBackedUp: is_backed_up } = verified.registrationInfo;
  return {
    passkey_id: Buffer.from(credential.id, 'base64url'),
    public_key: Buffer.from(credential.publicKey),
    sign_count: credential.counter,
    transports: response.response.transports ?? [],
    is_backed_up,
  };
}

export type ProvenPasskey = { user_id: string; amr: string[] };
export type PasskeyJudgement = ProvenPasskey | { wrong: 'passkey' | 'passkey counter' };

/**
 * Verifies a proof of a passkey (WebAuthn Level 3 §7.2). If the signature counter did not grow, it may be a copy (§6.1.1) and is refused.
 *
 * @param user_id the user whose passkey it must be; undefined: any user
 */
export async function judgePasskey(
  deps: PasskeyDeps,
  trx: Trx,
  {
    rp,
    challenged,
    answer,
    user_id,
  }: { rp: RelyingParty; challenged: Challenged; answer: string; user_id?: string | undefined },
): Promise<PasskeyJudgement> {
  const response = answerIn(answer);
  const passkey = response && (await findPasskey(trx, Buffer.from(response.id, 'base64url')));
  if (!response || !passkey || (user_id !== undefined && passkey.user_id !== user_id)) return { wrong: 'passkey' };
  const { userHandle } = response.response;
  if (userHandle && Buffer.from(userHandle, 'base64url').toString() !== passkey.user_id) return { wrong: 'passkey' };
  const { verifyAuthenticationResponse } = await webAuthn();
  const verified = await verifyAuthenticationResponse({
    response: response as never,
    expectedChallenge: isChallengeOf(deps, challenged),
    expectedOrigin: rp.origin,
    expectedRPID: rp.id,
    requireUserVerification: true,
    // The counter is checked below, to distinguish a copy from a wrong signature.
    credential: { id: response.id, publicKey: new Uint8Array(passkey.public_key), counter: 0 },
  }).catch(() => undefined);
  if (!verified?.verified || !(await isNewAnswer(deps, response.response.clientDataJSON))) return { wrong: 'passkey' };
  const { newCounter: sign_count, credentialBackedUp: is_backed_up } = verified.authenticationInfo;
  const before = Number(passkey.sign_count);
  if ((sign_count > 0 || before > 0) && sign_count <= before) return { wrong: 'passkey counter' };
  if (!(await notePasskeyUse(trx, passkey.id, { sign_count, is_backed_up, now: deps.now() })))
    return { wrong: 'passkey' };
  return { user_id: passkey.user_id, amr: [...methodsOf.passkey({ is_backed_up })] };
}

/** A challenge is answered once (WebAuthn Level 3 §13.4.3). */
function isNewAnswer(deps: PasskeyDeps, clientDataJSON: string): Promise<boolean> {
  const { challenge } = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) as { challenge: string };
  return deps.isFirstUse('passkey challenge', challenge, Math.ceil(deps.now().getTime() / 1000) + challengeSeconds);
}
