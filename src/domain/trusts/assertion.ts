import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose';

/** Algorithms of assertions: asymmetric ones only, so that no public key is taken for a secret (RFC 8725 §3.1). */
export const assertionAlgorithms = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Assertions are kilobytes at most, and parsed before anything about their sender is known. */
const longest = 16 * 1024;

/** A parsed JWT that is not verified. */
export type Assertion = { text: string; header: ProtectedHeaderParameters; payload: JWTPayload };

/** Parses a JWT without verifying it; undefined: it could never be accepted. */
export function readAssertion(text: string): Assertion | undefined {
  if (text.length > longest || text.split('.').length !== 3) return undefined;
  try {
    return { text, header: decodeProtectedHeader(text), payload: decodeJwt(text) };
  } catch {
    return undefined;
  }
}
