import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import type { Configuration } from 'oidc-provider';
import { canonicalAddress, invalid } from '../../../platform/http/index.ts';

/** How client certificates are received, and which authorities are accepted. */
export type MutualTlsDeps = {
  clientCertificates: {
    /** The header with the client's certificate, set by the trusted proxy; undefined: mutual TLS is disabled. */
    header: string | undefined;
    authorities: readonly X509Certificate[];
    now: () => Date;
  };
};

const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * The client certificate options from an installation's settings.
 *
 * @throws Problem `invalid`: the file of authorities cannot be read, or contains no certificate
 */
export function clientCertificates(
  { header, caFile }: { header: string | undefined; caFile: string | undefined },
  now: () => Date,
): MutualTlsDeps['clientCertificates'] {
  if (!caFile) return { header, authorities: [], now };
  try {
    const blocks = readFileSync(caFile, 'utf8').match(pemBlock) ?? [];
    if (blocks.length === 0) throw new Error('it contains no certificate');
    return { header, authorities: blocks.map((block) => new X509Certificate(block)), now };
  } catch (error) {
    throw invalid('', `LATCHKEY_CLIENT_CA_FILE: ${error instanceof Error ? error.message : error}.`);
  }
}

type MutualTls = NonNullable<NonNullable<Configuration['features']>['mTLS']>;

const seen = new WeakMap<object, X509Certificate | undefined>();

/**
 * Mutual TLS (RFC 8705): a proxy terminates the connection and passes on the certificate in a header, as in RFC 9440 or as percent-encoded
 * PEM (nginx: `$ssl_client_escaped_cert`). The proxy verifies that the client has the private key; issuer and subject are checked here.
 */
export function mutualTls({ clientCertificates }: MutualTlsDeps): MutualTls {
  const { header, authorities, now } = clientCertificates;
  const isOn = header !== undefined;
  return {
    enabled: isOn,
    certificateBoundAccessTokens: isOn,
    selfSignedTlsClientAuth: isOn,
    tlsClientAuth: isOn && authorities.length > 0,
    getCertificate: (ctx) => certificateOf(ctx, header),
    certificateAuthorized: (ctx) => {
      const certificate = certificateOf(ctx, header);
      return certificate !== undefined && isIssuedBy(certificate, authorities, now());
    },
    certificateSubjectMatches: (ctx, property, expected) => {
      const certificate = certificateOf(ctx, header);
      const isExpected = (name: string) => comparable(property, name) === comparable(property, expected);
      return certificate !== undefined && namesOf(certificate, property).some(isExpected);
    },
  };
}

/** The `cnf` value of an access token bound to the client's certificate (RFC 8705 §3.1); undefined without a certificate. */
export function certificateThumbprint(
  { clientCertificates }: MutualTlsDeps,
  request: CertifiedRequest,
): string | undefined {
  const { header } = clientCertificates;
  const raw = header === undefined ? undefined : certificateOf(request, header)?.raw;
  return raw && createHash('sha256').update(raw).digest('base64url');
}

type CertifiedRequest = { headers: IncomingHttpHeaders };

function certificateOf(request: CertifiedRequest, header = ''): X509Certificate | undefined {
  if (!seen.has(request)) seen.set(request, parseCertificate(String(request.headers[header.toLowerCase()] ?? '')));
  return seen.get(request);
}

function parseCertificate(text: string): X509Certificate | undefined {
  const structured = /^:([A-Za-z0-9+/=]+):$/.exec(text)?.[1];
  try {
    if (structured) return new X509Certificate(Buffer.from(structured, 'base64'));
    return text ? new X509Certificate(decodeURIComponent(text)) : undefined;
  } catch {
    // Not a certificate: treated as a request without one.
    return undefined;
  }
}

function isIssuedBy(certificate: X509Certificate, authorities: readonly X509Certificate[], now: Date): boolean {
  const isCurrent = certificate.validFromDate <= now && now < certificate.validToDate;
  return (
    isCurrent && authorities.some((issuer) => certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey))
  );
}

const alternativeKinds: Record<string, string> = {
  tls_client_auth_san_dns: 'DNS',
  tls_client_auth_san_ip: 'IP Address',
  tls_client_auth_san_email: 'email',
  tls_client_auth_san_uri: 'URI',
};

/** The subject of a certificate, in the form of the registered member (RFC 8705 §2.1.2; RFC 4514 for the name). */
function namesOf({ subject, subjectAltName = '' }: X509Certificate, property: string): string[] {
  if (property === 'tls_client_auth_subject_dn') return [subject.split('\n').reverse().join(',')];
  const wanted = alternativeKinds[property];
  return alternativeNames(subjectAltName).flatMap(({ kind, value }) => (kind === wanted ? [value] : []));
}

// Node.js writes a value as a JSON string if it could be taken for several names (CVE-2021-44532).
const listedName = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^",]*)(?:, |$)/g;

/** The alternative names of a certificate, from the text of Node.js; none if the text has another form. */
function alternativeNames(text: string): { kind: string; value: string }[] {
  const found = [...text.matchAll(listedName)];
  if (found.map(([all]) => all).join('') !== text) return [];
  return found.map(([, kind = '', value = '']) => ({
    kind,
    value: value.startsWith('"') ? String(JSON.parse(value)) : value,
  }));
}

/** RFC 8705 §2.1.2: addresses are compared by their bytes. Names of hosts are compared without case (RFC 4343). */
function comparable(property: string, name: string): string {
  if (property === 'tls_client_auth_san_ip') return canonicalAddress(name) ?? name;
  return property === 'tls_client_auth_san_dns' ? name.toLowerCase() : name;
}
