import type { IncomingHttpHeaders } from 'node:http';
import type { DocumentValidators } from '../../../db/schema.ts';
import { freshSeconds, type Revalidating, validatorsOf } from '../../platform/outbound/index.ts';
import type { SelfRegistration } from '../clients/index.ts';
import { readDocument, readKeys } from './document.ts';

/** A stored document: its client's metadata, and its HTTP validators. */
export type StoredDocument = { metadata: Record<string, unknown>; validators: DocumentValidators };

/** The content of a document, for how many seconds it may be used, and its HTTP validators for the next request. */
export type DocumentReading = {
  metadata: Record<string, unknown>;
  seconds: number;
  validators: Omit<DocumentValidators, 'fresh_until'>;
};

type Needs = {
  now: () => Date;
  getDocument: Revalidating;
  getKeys: Revalidating;
  /** Throws if keys may not be fetched from there. */
  mustBeFetchable: (jwks_uri: string) => void;
};

// Bounds for the lifetimes of documents and keys: no one can cause a fetch for each request, and a withdrawn document is not used for days.
const leastSeconds = 60;
const mostSeconds = 24 * 3600;
/** For documents with keys at another address, and for the first fetch of a document. */
export const fewerSeconds = 3600;
const usualSeconds = 300;
/** A document is read in full at least this often: a newer version of Latchkey may read more of it, or accept less. */
const rereadSeconds = 7 * 24 * 3600;

/**
 * Reads a metadata document and its keys. If a host answers that they have not changed, the stored ones are used.
 * Keys are stored with the client: every node uses the same ones, and none depends on the host that serves them.
 *
 * @throws SelfRegistrationError: it cannot be used; and what `getDocument` and `getKeys` throw
 */
export async function readFrom(
  needs: Needs,
  client_id: string,
  known: StoredDocument | undefined,
): Promise<DocumentReading> {
  const { now, getDocument } = needs;
  const stored = known && isRecent(known, now()) ? known : undefined;
  const { headers, body } = await getDocument(client_id, stored?.validators.document ?? {});
  const kept = body === undefined ? stored : undefined;
  const { jwks_uri, ...metadata } = kept ? asDescribed(kept) : readDocument(body ?? Buffer.alloc(0), client_id);
  const document = { ...kept?.validators.document, ...validatorsOf(headers) };
  const read_at = kept?.validators.read_at ?? now().toISOString();
  const seconds = secondsOf(headers, now(), mostSeconds);
  if (jwks_uri === undefined) return { metadata, seconds, validators: { read_at, document } };
  const { jwks, seconds: most, keys } = await readKeysFrom(needs, String(jwks_uri), stored);
  return {
    metadata: { ...metadata, jwks },
    seconds: Math.min(seconds, most),
    validators: { read_at, document, keys },
  };
}

async function readKeysFrom(
  { now, getKeys, mustBeFetchable }: Needs,
  jwks_uri: string,
  stored: StoredDocument | undefined,
) {
  mustBeFetchable(jwks_uri);
  const known = stored?.validators.keys?.jwks_uri === jwks_uri ? stored : undefined;
  const { headers, body } = await getKeys(jwks_uri, known?.validators.keys ?? {});
  const isSame = body === undefined && known !== undefined;
  return {
    jwks: isSame ? known.metadata.jwks : readKeys(body ?? Buffer.alloc(0)),
    seconds: secondsOf(headers, now(), fewerSeconds),
    keys: { ...(isSame && known.validators.keys), ...validatorsOf(headers), jwks_uri },
  };
}

/** For how long a response may be used, within our limits. */
function secondsOf(headers: IncomingHttpHeaders, now: Date, most: number): number {
  return Math.min(Math.max(freshSeconds(headers, now) ?? usualSeconds, leastSeconds), most);
}

function isRecent({ validators }: StoredDocument, now: Date): boolean {
  return Date.parse(validators.read_at) + rereadSeconds * 1000 > now.getTime();
}

/** A stored client as its document describes it, with the address of its keys. */
function asDescribed({ metadata, validators }: StoredDocument): Partial<SelfRegistration> {
  if (!validators.keys) return metadata;
  const { jwks: _, ...rest } = metadata;
  return { ...rest, jwks_uri: validators.keys.jwks_uri };
}
