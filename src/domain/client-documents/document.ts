import { z } from 'zod';
import { readSelfRegistration, type SelfRegistration, SelfRegistrationError, storable } from '../clients/index.ts';

// A public document cannot contain a shared secret (draft-ietf-oauth-client-id-metadata-document §4.1).
const methods = ['none', 'private_key_jwt'] as const;

/**
 * The description of a client in the metadata document at its address.
 *
 * @throws SelfRegistrationError: the document is not of this client, or cannot be used
 */
export function readDocument(body: Buffer, client_id: string): SelfRegistration {
  const document = parsed(body);
  if (document.client_id !== client_id)
    throw new SelfRegistrationError('client_id', 'must be the address of the document, character by character');
  if (typeof document.client_name !== 'string') throw new SelfRegistrationError('client_name', 'must be there');
  if ('client_secret' in document) throw new SelfRegistrationError('client_secret', 'must not be in a document');
  // Without a usable name, the client is named by its host.
  return { client_name: new URL(client_id).host, ...readSelfRegistration(document, { methods, reading: 'lenient' }) };
}

const Keys = z.looseObject({ keys: z.array(z.looseObject({})).min(1).max(20) });

/** @throws SelfRegistrationError */
export function readKeys(body: Buffer): NonNullable<SelfRegistration['jwks']> {
  const { data } = Keys.safeParse(parsed(body));
  if (!data) throw new SelfRegistrationError('jwks_uri', 'must lead to a JSON Web Key Set of 1 to 20 keys');
  return storable(data);
}

function parsed(body: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new SelfRegistrationError('the document', 'is not JSON');
  }
  const { data } = z.looseObject({}).safeParse(value);
  if (!data) throw new SelfRegistrationError('the document', 'is not a JSON object');
  return data;
}
