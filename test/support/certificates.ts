// @peculiar/x509 needs it.
import 'reflect-metadata';
import type { webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A certificate authority, a certificate it issued, and one that merely looks the same. */
export async function makeCertificates() {
  const [ca, own, stranger] = await Promise.all([makeKeys(), makeKeys(), makeKeys()]);
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) };
  const subject = 'O=Example, CN=service';
  const issuer = 'CN=Example CA';
  const names = [
    { type: 'dns', value: 'Service.example' },
    { type: 'ip', value: 'fd00::5' },
    { type: 'url', value: 'https://own.example/x, DNS:other.example, y' },
  ] as const;
  const certificates = await Promise.all([
    X509CertificateGenerator.createSelfSigned({ name: issuer, keys: ca, ...validity, signingAlgorithm: algorithm }),
    X509CertificateGenerator.create({
      subject,
      issuer,
      publicKey: own.publicKey,
      signingKey: ca.privateKey,
      ...validity,
      signingAlgorithm: algorithm,
      extensions: [new SubjectAlternativeNameExtension([...names])],
    }),
    X509CertificateGenerator.createSelfSigned({
      name: subject,
      keys: stranger,
      ...validity,
      signingAlgorithm: algorithm,
    }),
  ]);
  const [authority = '', issued = '', lookalike = ''] = certificates.map((certificate) => certificate.toString('pem'));
  return { ca: authority, service: issued, stranger: lookalike };
}

/** A certificate for a server on this machine, its key, and the authority that issued it. */
export async function makeServerCertificate() {
  const [authority, own] = await Promise.all([makeKeys(), makeKeys()]);
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 86_400_000) };
  const issuer = 'CN=Example CA';
  const [ca, certificate] = await Promise.all([
    X509CertificateGenerator.createSelfSigned({
      ...{ name: issuer, keys: authority, ...validity, signingAlgorithm: algorithm },
      extensions: [new BasicConstraintsExtension(true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign)],
    }),
    X509CertificateGenerator.create({
      ...{ subject: 'CN=localhost', issuer, ...validity, signingAlgorithm: algorithm },
      ...{ publicKey: own.publicKey, signingKey: authority.privateKey },
      extensions: [new SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])],
    }),
  ]);
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', own.privateKey), 'PRIVATE KEY');
  return { ca: ca.toString('pem'), cert: certificate.toString('pem'), key };
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}
