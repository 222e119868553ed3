import { createPublicKey } from 'node:crypto';
import { VaultError } from './answers.ts';

const mostKeys = 20;

/** Public keys, or certificates that contain them, in PEM, as a JWK set; undefined: there are none. @throws VaultError 400 */
export function keySetOf(texts: readonly string[], member: string): { keys: Record<string, unknown>[] } | undefined {
  if (texts.length > mostKeys) throw new VaultError(400, `${member} has at most ${mostKeys} keys`);
  const keys = texts.map((text) => jwkOf(text, member));
  return keys.length > 0 ? { keys } : undefined;
}

function jwkOf(text: string, member: string): Record<string, unknown> {
  // A private key contains a public one, too: sending it is a mistake that must be reported.
  if (!/-----BEGIN (?:RSA |EC )?(?:PUBLIC KEY|CERTIFICATE)-----/.test(text)) throw wrongKey(member);
  try {
    const jwk = createPublicKey(text).export({ format: 'jwk' });
    return { kty: String(jwk.kty), ...jwk };
  } catch {
    throw wrongKey(member);
  }
}

const wrongKey = (member: string) =>
  new VaultError(400, `${member}: a key is a public key or a certificate in PEM, RSA or elliptic curve`);

/** PEM texts in a list, or several in one text. @throws VaultError 400 */
export function pemsIn(body: Readonly<Record<string, unknown>>, member: string): string[] {
  const given = [body[member] ?? []].flat();
  if (!given.every((text) => typeof text === 'string')) throw new VaultError(400, `${member} must be texts in PEM`);
  return given.flatMap((text: string) => text.split(/(?<=-----END [A-Z ]+-----)[\s,]*/)).filter((text) => text.trim());
}
