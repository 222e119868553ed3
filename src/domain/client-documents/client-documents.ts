import type { Db } from '../../platform/database/index.ts';
import { type Origin, Problem } from '../../platform/http/index.ts';
import { FetchBudget, type Revalidating, UnexpectedStatus } from '../../platform/outbound/index.ts';
import {
  findStoredDocument,
  SelfRegistrationError,
  saveDocumentedClient,
  withdrawDocumentedClient,
} from '../clients/index.ts';
import { type AddressRules, isDocumentAddress, isKeysAddress } from './document-address.ts';
import { type DocumentReading, fewerSeconds, readFrom, type StoredDocument } from './reading.ts';

/** The largest document, and the largest set of keys it names, in bytes (draft-ietf-oauth-client-id-metadata-document §6.6). */
export const maxDocumentBytes = 5 * 1024;
export const maxKeysBytes = 20 * 1024;

export type ClientDocumentsDeps = {
  db: Db;
  now: () => Date;
  /** undefined: documents are not used. */
  rules: AddressRules | undefined;
  getDocument: Revalidating;
  getKeys: Revalidating;
  /** The provider's own check of RFC 7591 metadata; throws a Problem `invalid`. */
  validateMetadata: (metadata: Record<string, unknown>) => Promise<void>;
  /** Whether a text is the identifier of a resource server. */
  isResourceServer: (identifier: string) => Promise<boolean>;
};

/**
 * The result of fetching a document: it is stored; it cannot be used, and no longer describes its client; or it is not known, because
 * its host cannot be reached or too many documents are being fetched.
 */
export type RefreshOutcome = { result: 'saved' } | { result: 'refused' | 'unavailable'; reason: string };

/** How long an unused client is kept after its document expired. */
const keptSeconds = 3600;
/** How long an expired document is used while its host cannot be reached. */
const staleSeconds = 24 * 3600;

const unreachable = 'the metadata document could not be fetched';
const tooMany = 'too many metadata documents are requested: try again in a minute';

/** Fetches metadata documents and stores their clients, where all nodes find them. */
export class ClientDocuments {
  readonly #deps: ClientDocumentsDeps;
  readonly #budget: FetchBudget;
  readonly #running = new Map<string, Promise<RefreshOutcome>>();

  constructor(deps: ClientDocumentsDeps) {
    this.#deps = deps;
    this.#budget = new FetchBudget(deps.now);
  }

  /** Whether documents are used at all. */
  get isEnabled(): boolean {
    return this.#deps.rules !== undefined;
  }

  /** Whether a `client_id` is the address of a document that this server uses. */
  isAddress(client_id: string): boolean {
    const { rules } = this.#deps;
    return rules !== undefined && isDocumentAddress(client_id, rules);
  }

  /** Whether a stored document is used without another fetch. */
  isFresh(fresh_until: Date): boolean {
    return fresh_until > this.#deps.now();
  }

  /** Whether a stored document is still used while it cannot be fetched. */
  isUsableUnfetched(fresh_until: Date): boolean {
    return fresh_until.getTime() + staleSeconds * 1000 > this.#deps.now().getTime();
  }

  /** Fetches a document and stores its client; requests for the same one share a fetch. */
  refresh(client_id: string, request: { origin: Origin; isKnown: boolean }): Promise<RefreshOutcome> {
    const running = this.#running.get(client_id);
    if (running) return running;
    const begun = this.#refresh(client_id, request).finally(() => this.#running.delete(client_id));
    this.#running.set(client_id, begun);
    return begun;
  }

  async #refresh(
    client_id: string,
    { origin, isKnown }: { origin: Origin; isKnown: boolean },
  ): Promise<RefreshOutcome> {
    // The audience of that API's tokens would be this client.
    if (await this.#deps.isResourceServer(client_id))
      return { result: 'refused', reason: 'this address is the identifier of an API' };
    const { address = '' } = origin;
    const request = { address, isCounted: !isKnown, waitsAfterFailure: isKnown };
    if (!this.#budget.begin(client_id, request)) return { result: 'unavailable', reason: tooMany };
    let isAnswered = false;
    try {
      const stored = isKnown ? await this.#stored(client_id) : undefined;
      const { metadata, seconds: said, validators: read } = await this.#read(client_id, stored);
      const seconds = isKnown ? said : Math.min(said, fewerSeconds);
      isAnswered = true;
      const fresh_until = new Date(this.#deps.now().getTime() + seconds * 1000);
      const kept_until = new Date(fresh_until.getTime() + keptSeconds * 1000);
      const validators = { ...read, fresh_until: fresh_until.toISOString() };
      await saveDocumentedClient(this.#deps, origin, { client_id, metadata, fresh_until, kept_until, validators });
      return { result: 'saved' };
    } catch (error) {
      const outcome = outcomeOf(error);
      // Otherwise it could be used again without a fetch.
      if (outcome.result === 'refused' && isKnown)
        await withdrawDocumentedClient(this.#deps, origin, { client_id, reason: outcome.reason });
      return outcome;
    } finally {
      this.#budget.end(client_id, { address, isAnswered });
    }
  }

  /** undefined: nothing is stored, or the document was withdrawn, or an older version of Latchkey read it. */
  async #stored(client_id: string): Promise<StoredDocument | undefined> {
    const { metadata = {}, fresh_until, validators } = (await findStoredDocument(this.#deps.db, client_id)) ?? {};
    return validators && validators.fresh_until === fresh_until?.toISOString() ? { metadata, validators } : undefined;
  }

  async #read(client_id: string, stored: StoredDocument | undefined): Promise<DocumentReading> {
    const { getDocument, getKeys, validateMetadata, now } = this.#deps;
    const needs = {
      now,
      getDocument: orRefusal(getDocument),
      getKeys: orRefusal(getKeys),
      mustBeFetchable: (jwks_uri: string) => this.#mustBeFetchable(jwks_uri, client_id),
    };
    const reading = await readFrom(needs, client_id, stored);
    await validateMetadata({ ...reading.metadata, client_id });
    return reading;
  }

  /** The rules and the budget of the host of the keys apply. */
  #mustBeFetchable(jwks_uri: string, client_id: string): void {
    const { rules } = this.#deps;
    if (!rules || !isKeysAddress(jwks_uri, rules))
      throw new SelfRegistrationError('jwks_uri', 'must lead to a host on which metadata documents are allowed');
    const isElsewhere = new URL(jwks_uri).host !== new URL(client_id).host;
    if (isElsewhere && !this.#budget.takeOfHost(jwks_uri)) throw new FetchError(tooMany);
  }
}

class FetchError extends Error {
  override name = 'FetchError';
}

/**
 * Statuses that say nothing about the document: bot protection refuses the request (401, 403), or there are too many requests (429).
 */
const uninformative: readonly number[] = [401, 403, 429];

const orRefusal =
  (get: Revalidating): Revalidating =>
  (url, validators) =>
    get(url, validators).catch(refuseFetch);

/** A status other than 200 is reported. Other failures are not described: their details would reveal what this server can reach. */
function refuseFetch(error: unknown): never {
  const isWithdrawn = error instanceof UnexpectedStatus && error.status < 500 && !uninformative.includes(error.status);
  if (isWithdrawn) throw new SelfRegistrationError('the document', 'is not there: it must be answered with status 200');
  const isRefusal = error instanceof UnexpectedStatus && uninformative.includes(error.status);
  throw new FetchError(isRefusal ? `${unreachable}: its host answered ${error.status}` : unreachable, { cause: error });
}

function outcomeOf(error: unknown): RefreshOutcome {
  if (error instanceof FetchError) return { result: 'unavailable', reason: error.message };
  if (error instanceof SelfRegistrationError)
    return { result: 'refused', reason: `the metadata document cannot be used: ${error.message}` };
  if (error instanceof Problem && error.status === 400)
    return { result: 'refused', reason: `the metadata document cannot be used: ${error.message}` };
  throw error;
}
