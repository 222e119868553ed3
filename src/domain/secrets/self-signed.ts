import { webcrypto } from 'node:crypto';
import { dayMs } from '../credentials/index.ts';
import type { GeneratedPart } from './generated-parts.ts';

type Pair = { privateKey: string; publicKey: string };
type Wanted = Extract<GeneratedPart, { kind: 'certificate' }>;

/** Other clocks may be behind. */
const earlierMs = 5 * 60_000;

const algorithms = {
  ec_p256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa_3072: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
} as const;

/** A certificate that its own key signs, in PEM. */
export async function makeCertificate(pair: Pair, { common_name, dns_names, days, algorithm }: Wanted, now: Date) {
  // Loaded for the first certificate: the library is large, and requires this one.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const signing = algorithms[algorithm];
  const imported = (format: 'pkcs8' | 'spki', pem: string, use: 'sign' | 'verify') =>
    webcrypto.subtle.importKey(format, x509.PemConverter.decodeFirst(pem), signing, true, [use]);
  const keys = {
    privateKey: await imported('pkcs8', pair.privateKey, 'sign'),
    publicKey: await imported('spki', pair.publicKey, 'verify'),
  };
  const names = dns_names.map((value) => ({ type: 'dns' as const, value }));
  const made = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ CN: [common_name] }],
      notBefore: new Date(now.getTime() - earlierMs),
      notAfter: new Date(now.getTime() + days * dayMs),
      signingAlgorithm: signing,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    },
    webcrypto,
  );
  return `${made.toString('pem')}\n`;
}
