import { z } from 'zod';
import type { Getting } from '../../platform/outbound/index.ts';

const Metadata = z.looseObject({ issuer: z.string(), jwks_uri: z.url() });

/** The metadata of an issuer is that of another one. */
export class OtherIssuerError extends Error {
  override name = 'OtherIssuerError';
}

/**
 * Reads the metadata of an issuer (OpenID Connect Discovery 1.0 §4).
 *
 * @throws OtherIssuerError: the metadata names another issuer, whose keys must not be used for this one (§4.3); Error: there is no
 *   response, or an invalid one
 */
export async function discoverIssuer(get: Getting, issuer: string): Promise<z.infer<typeof Metadata>> {
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { body } = await get(address);
  const metadata = Metadata.parse(JSON.parse(body.toString()));
  if (metadata.issuer !== issuer)
    throw new OtherIssuerError(`${address} is of the issuer ${JSON.stringify(metadata.issuer.slice(0, 200))}`);
  return metadata;
}
