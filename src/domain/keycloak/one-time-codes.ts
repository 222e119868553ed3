import { z } from 'zod';
import { type Brought, base32Of } from '../users/index.ts';
import { type KeycloakUser, parsedText } from './schemas.ts';

type Codes = NonNullable<Brought['one_time_codes']>;
type Credential = KeycloakUser['credentials'][number];

// The shapes of Keycloak's `OTPCredentialData` and `OTPSecretData`.
const CodeData = z.object({
  subType: z.string().default('totp'),
  digits: z.coerce.number().pipe(z.union([z.literal(6), z.literal(8)])),
  period: z.coerce.number().int().min(15).max(300),
  algorithm: z.enum(['HmacSHA1', 'HmacSHA256', 'HmacSHA512']),
  secretEncoding: z.string().nullish(),
});
const CodeSecret = z.object({ value: z.string().min(1).max(512) });
// RFC 4226 §4, R6: at least 128 bits.
const leastBytes = 16;
const mostBytes = 64;
const base32 = /^[A-Z2-7]+=*$/i;

/** The authenticator app of a user, who can have one here. `left`: the apps that are not imported, and why. */
export async function convertedCodes({
  credentials,
}: Pick<KeycloakUser, 'credentials'>): Promise<{ codes?: Codes; left: string[] }> {
  const apps = credentials.filter(({ type }) => ['otp', 'totp', 'hotp'].includes(type));
  const converted = await Promise.all(apps.map(codesOf));
  const codes = converted.find((each) => typeof each !== 'string');
  const left = converted
    .filter((each) => each !== codes)
    .map((each) => (typeof each === 'string' ? each : 'another authenticator app (one is imported)'));
  return { ...(codes && { codes }), left };
}

async function codesOf(credential: Credential): Promise<Codes | string> {
  const data = CodeData.safeParse(parsedText(credential.credentialData) ?? credential);
  const secret = CodeSecret.safeParse(
    parsedText(credential.secretData) ?? { value: credential.hashedSaltedValue ?? undefined },
  );
  const isCounted = credential.type === 'hotp' || data.data?.subType === 'hotp';
  if (isCounted) return 'an authenticator app whose codes are counted (HOTP)';
  if (!secret.success) return 'an authenticator app without its secret (export with kc.sh)';
  if (!data.success) return 'an authenticator app with unknown parameters';
  const { algorithm, digits, period, secretEncoding } = data.data;
  const { value } = secret.data;
  const isEncoded = secretEncoding?.toUpperCase() === 'BASE32';
  if ((secretEncoding && !isEncoded) || (isEncoded && !base32.test(value)))
    return 'an authenticator app whose secret is encoded in an unknown way';
  // Keycloak gives the app the Base32 form of the text itself.
  const encoded = isEncoded ? value.toUpperCase().replaceAll('=', '') : await base32Of(Buffer.from(value));
  const bytes = Math.floor((encoded.replaceAll('=', '').length * 5) / 8);
  if (bytes < leastBytes || bytes > mostBytes) return 'an authenticator app whose secret is too short or too long';
  return { secret: encoded, algorithm: nameOf[algorithm], digits, period };
}

const nameOf = { HmacSHA1: 'sha1', HmacSHA256: 'sha256', HmacSHA512: 'sha512' } as const;
