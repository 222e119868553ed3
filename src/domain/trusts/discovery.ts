import { z } from 'zod';
import type { Getting } from '../../platform/outbound/index.ts';

const Metadata = z.looseObject({ issuer: z.string(), jwks_uri: z.url() });

/** The metadata of an issuer is that of another one. */
export class OtherIssuerError extends Error {
  override name = 'OtherIssuerError';
}

/**
 * Reads what an issuer publishes about itself (OpenID Connect Discovery 1.0 §4).
 *
 * @throws OtherIssuerError: it names another issuer, which would make the keys of one those of another (§4.3); Error: it does not
 *   answer, or with something else
 */
export async function discoverIssuer(get: Getting, issuer: string): Promise<z.infer<typeof Metadata>> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { body } = await get(address);
  const metadata = Metadata.parse(JSON.parse(body.toString()));
  if (metadata.issuer !== issuer)
    throw new OtherIssuerError(`${address} is of the issuer ${JSON.stringify(metadata.issuer.slice(0, 200))}`);
  return metadata;
}
