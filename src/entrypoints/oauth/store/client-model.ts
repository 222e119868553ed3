import Provider, { errors } from 'oidc-provider';
import type { ClientDocuments } from '../../../domain/client-documents/index.ts';
import { isClientId, isKnownRegistrar, isSecretMethod } from '../../../domain/clients/index.ts';
import { Cache, type ChangeFeed } from '../../../platform/database/index.ts';
import { lifetimesMember } from '../provider/lifetimes.ts';
import { currentUnit, LostRaceError } from '../unit-of-work/index.ts';
import type { ModelStore, Payload } from './model-store.ts';
import type { Reader } from './reader.ts';
import { type ClientRecord, readClient } from './reads.ts';

const mostClients = 10_000;

/** The clients that this node has cached, removed within a second of a change (DESIGN.md §8). */
export type KnownClients = Cache<ClientRecord>;

export function knownClients(changes: ChangeFeed): KnownClients {
  const known: KnownClients = new Cache(changes, 'client', mostClients);
  // Clients that no operator registered may request the open scopes of APIs.
  changes.on('resource_server', () => known.forget('all'));
  return known;
}

/** The dependencies of client lookups. */
export type ClientDeps = { reader: Reader; knownClients: KnownClients; documents: ClientDocuments };

/**
 * The client with this id; undefined: unknown, disabled, or registered in a way that only a newer version supports. It does not change
 * during a request.
 */
export async function findClientRecord(deps: ClientDeps, client_id: string): Promise<ClientRecord | undefined> {
  // Ids also come out of unverified JWTs; one that PostgreSQL refuses would fail every read coalesced with it.
  if (!isClientId(client_id)) return undefined;
  const record = await currentUnit().remember(`client:${client_id}`, () => presentRecord(deps, client_id));
  return record?.enabled && isKnownRegistrar(record.registered_by) ? record : undefined;
}

/** The row id of the client that something is stored for. @throws LostRaceError: unknown or disabled */
export async function idOfClient(deps: ClientDeps, client_id: string): Promise<string> {
  const record = await findClientRecord(deps, client_id);
  if (!record) throw new LostRaceError('the client was disabled');
  return record.id;
}

/** The client as it is in the database. */
export async function readClientRecord(
  { reader }: Pick<ClientDeps, 'reader'>,
  client_id: string,
): Promise<ClientRecord | undefined> {
  const row = await reader.find<{ client: ClientRecord }>(readClient, client_id);
  return row?.client;
}

async function presentRecord(deps: ClientDeps, client_id: string): Promise<ClientRecord | undefined> {
  const record = await deps.knownClients.get(client_id, () => readClientRecord(deps, client_id));
  if (record ? record.registered_by === 'document' : mayBeNew()) return documentedRecord(deps, client_id, record);
  return record;
}

// Where a flow of a client begins. At any other endpoint an unknown client has no credentials yet.
const firstRoutes: ReadonlySet<string | undefined> = new Set([
  'authorization',
  'pushed_authorization_request',
  'device_authorization',
  'token',
]);

const mayBeNew = () => firstRoutes.has(Provider.ctx?.oidc.route);

/**
 * The client that a metadata document describes. The document is fetched if no node has it, and again when it is no longer fresh. While it
 * cannot be fetched, its earlier content is used for a day.
 */
async function documentedRecord(
  deps: ClientDeps,
  client_id: string,
  known: ClientRecord | undefined,
): Promise<ClientRecord | undefined> {
  const { documents, knownClients } = deps;
  if (!documents.isAddress(client_id)) return undefined;
  if (known && !known.enabled) return known;
  if (isFresh(documents, known)) return known;
  // Another node may have fetched it since.
  if (known) knownClients.forget([client_id]);
  const present = known && (await readClientRecord(deps, client_id));
  if (isFresh(documents, present)) return present;
  const outcome = await documents.refresh(client_id, { origin: currentUnit().origin, isKnown: known !== undefined });
  if (outcome.result === 'saved') return readClientRecord(deps, client_id);
  const fresh_until = present?.document?.fresh_until;
  if (outcome.result === 'unavailable' && fresh_until && documents.isUsableUnfetched(new Date(fresh_until)))
    return present;
  currentUnit().refusedDocument = { client_id, reason: outcome.reason };
  return undefined;
}

function isFresh(documents: ClientDocuments, record: ClientRecord | undefined): boolean {
  const fresh_until = record?.document?.fresh_until;
  return fresh_until !== undefined && documents.isFresh(new Date(fresh_until));
}

// oidc-provider requires some secret for these methods; the real ones are compared as digests (client-authentication.ts).
const secretElsewhere = 'compared as digests';

export function clientStore(deps: ClientDeps): ModelStore {
  return {
    find: async (client_id) => {
      const record = await findClientRecord(deps, client_id);
      if (!record) return refuseUnknown(client_id);
      const metadata = metadataOf(record);
      const client_secret = isSecretMethod(metadata.token_endpoint_auth_method)
        ? { client_secret: secretElsewhere }
        : {};
      const lifetimes = { [lifetimesMember]: record.lifetimes };
      return { ...metadata, ...client_secret, ...jwksOf(record), ...lifetimes, client_id } as Payload;
    },
  };
}

/** @throws InvalidClient: it is the URL of a document that cannot be used, with the reason */
function refuseUnknown(client_id: string): undefined {
  const { refusedDocument } = currentUnit();
  if (refusedDocument?.client_id === client_id) throw new errors.InvalidClient(refusedDocument.reason);
  return undefined;
}

/**
 * Token exchange needs no registered grant type, and nothing else is possible in that request. If the key identifies the client, no further
 * authentication is required.
 */
function metadataOf({ client_id, metadata }: ClientRecord): ClientRecord['metadata'] {
  const { presentedKey, presentedAssertion } = currentUnit();
  const presented = presentedKey ?? presentedAssertion;
  if (!presented) return metadata;
  const exchanging = { ...metadata, grant_types: [presented.grant_type], response_types: [] };
  if (presented.answersFor !== client_id) return exchanging;
  const { token_endpoint_auth_signing_alg: _, ...rest } = exchanging as typeof exchanging & Record<string, unknown>;
  return { ...rest, token_endpoint_auth_method: 'none' };
}

/** EdDSA and Ed25519 name one algorithm (RFC 9864 §2.2); libraries differ in which they send, so a key answers to both. */
function jwksOf({ metadata }: ClientRecord): { jwks?: { keys: Record<string, unknown>[] } } {
  const { keys } = (metadata.jwks ?? {}) as { keys?: Record<string, unknown>[] };
  const answering = ({ alg: _, ...key }: Record<string, unknown>) => key;
  return keys ? { jwks: { keys: keys.map((key) => (key.crv === 'Ed25519' ? answering(key) : key)) } } : {};
}
