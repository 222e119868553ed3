import { compactVerify, errors } from 'jose';
import { type Assertion, type IssuerKeys, NoKeyError, signatureAlgorithms } from '../trusts/index.ts';

type Signer = { issuer: string; jwks_uri?: string | undefined };
type Signed = Pick<Assertion, 'text' | 'header'>;

type SignatureProblem = { kind: 'algorithm' } | { kind: 'signature' } | { kind: 'no_key'; message: string };

/** What is wrong with a token's signature; undefined: the provider signed it. `no_key`: why no key was found. */
export async function signatureProblem(
  issuerKeys: IssuerKeys,
  { issuer, jwks_uri }: Signer,
  { text, header }: Signed,
): Promise<SignatureProblem | undefined> {
  const { alg = '' } = header;
  if (!signatureAlgorithms.includes(alg)) return { kind: 'algorithm' };
  try {
    const key = await issuerKeys.find({ issuer, jwks_uri: jwks_uri ?? null, jwks: null }, { ...header, alg });
    await compactVerify(text, key, { algorithms: [alg] });
    return undefined;
  } catch (error) {
    if (error instanceof NoKeyError) return { kind: 'no_key', message: error.message };
    if (error instanceof errors.JOSEError) return { kind: 'signature' };
    throw error;
  }
}
