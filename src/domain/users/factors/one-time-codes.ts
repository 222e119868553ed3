import { once } from '../../../platform/caching/index.ts';
import { type SealedPlace, seal, unseal } from '../../../platform/crypto/index.ts';
import type { Trx } from '../../../platform/database/index.ts';
import type { ServerKeys } from '../../../platform/keys/index.ts';
import { acceptStep, type CodeParameters, findOneTimeCodes } from './store.ts';

/** One-time codes of an authenticator app (TOTP, RFC 6238): six digits, SHA-1, thirty seconds, which all apps know. */
const ours: CodeParameters = { algorithm: 'sha1', digits: 6, period: 30 };

// Apps that were set up in another system may show eight.
const codeShape = /^\d{6}(\d{2})?$/;
// Loaded with the first use, so that neither a start nor a command waits for it.
const otplib = once(() => import('otplib'));

/** A secret of 160 bits in Base32, the format of apps (RFC 4226 §4). */
export async function generateCodeSecret(): Promise<string> {
  return (await otplib()).generateSecret({ length: 20 });
}

/** The `otpauth` URI that an authenticator app scans. */
export async function codeUri(secret: string, { brand, account }: { brand: string; account: string }): Promise<string> {
  return (await otplib()).generateURI({ issuer: brand, label: account, secret });
}

/** A code as users type it: apps show it in groups. */
export function asCode(typed: string): string | undefined {
  const code = typed.replaceAll(/[\s-]/g, '');
  return codeShape.test(code) ? code : undefined;
}

/** The time step of a code; one step before or after is accepted, because clocks differ (RFC 6238 §5.2). Undefined: it is wrong. */
export async function stepOf(
  secret: string,
  code: string,
  now: Date,
  parameters: CodeParameters = ours,
): Promise<number | undefined> {
  const { digits, period } = parameters;
  if (code.length !== digits) return undefined;
  const epoch = Math.floor(now.getTime() / 1000);
  const { verify } = await otplib();
  const result = await verify({ secret, token: code, epoch, epochTolerance: period, ...parameters });
  return result.valid ? Math.floor(epoch / period) + result.delta : undefined;
}

/** A secret in the format of apps: Base32 of its bytes (RFC 4648 §6). */
export async function base32Of(secret: Uint8Array): Promise<string> {
  const { ScureBase32Plugin } = await otplib();
  return new ScureBase32Plugin().encode(secret);
}

/** Seals a secret for the row that it is stored in. */
export function sealSecret(keys: ServerKeys, id: string, secret: string) {
  const { id: key_id, key } = keys.current('factor');
  return { key_id, sealed: seal(key, placeOf(id), secret) };
}

/** Accepts a code of a user's app. Each step is accepted once, and no earlier one after it (RFC 6238 §5.2). */
export async function takeCode(
  trx: Trx,
  { keys, now }: { keys: ServerKeys; now: Date },
  { user_id, code }: { user_id: string; code: string },
): Promise<boolean> {
  const codes = await findOneTimeCodes(trx, user_id);
  if (!codes) return false;
  const { key } = await keys.named(codes.key_id);
  const step = await stepOf(
    unseal(key, placeOf(codes.id), codes.sealed).toString(),
    code,
    now,
    codes.parameters ?? undefined,
  );
  return step !== undefined && acceptStep(trx, codes.id, { step, now });
}

const placeOf = (id: string): SealedPlace => ['factors', 'sealed', id];
