import { randomBytes } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { inTransaction } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import { appendEvent } from '../audit/index.ts';
import type { ClientDeps } from './clients.ts';
import { nameByPlaces } from './provenance.ts';
import { signingDefaults } from './registration.ts';
import { keepSecrets } from './secrets.ts';
import { withoutRights } from './self-registered.ts';
import { insertSelfRegistered } from './self-registered-store.ts';
import { readSelfRegistration, SelfRegistrationError } from './self-registration.ts';
import { insertClient } from './store.ts';

/** A client that registered itself; `client_secret` is shown once, only a digest is stored. */
export type DynamicClient = {
  client_id: string;
  created_at: Date;
  client_secret?: string;
  metadata: Record<string, unknown>;
};

/** Scopes that a description may name. */
export type RegistrableScopes = {
  /** All scopes of the APIs that are open to anyone, and those of OpenID Connect. */
  declared: readonly string[];
  /** The declared scopes that such a client may request from users. */
  open: readonly string[];
};

// RFC 7591 §2: the first is the default.
const methods = ['client_secret_basic', 'client_secret_post', 'none', 'private_key_jwt'] as const;
/** Grant types without a user who signs in and consents. */
const powers = new Set<unknown>([
  'client_credentials',
  'password',
  'urn:ietf:params:oauth:grant-type:jwt-bearer',
  'urn:ietf:params:oauth:grant-type:token-exchange',
]);
/** A client that no user has allowed anything by then is deleted. */
const unusedSeconds = 24 * 3600;

/**
 * Registers a client that describes itself (RFC 7591). It acts for users only, and may request the scopes that are open to anyone.
 *
 * @param scopes the scopes that its description may name
 * @throws SelfRegistrationError; Problem `invalid`: the metadata contradicts itself or a standard
 */
export async function registerDynamicClient(
  deps: ClientDeps,
  actor: Actor,
  { given, scopes }: { given: unknown; scopes: RegistrableScopes },
): Promise<DynamicClient> {
  refusePowers(given);
  const scope = scopeOf(given, scopes);
  const read = readSelfRegistration(given, { methods, reading: 'strict' });
  const described = { client_name: nameByPlaces(read.redirect_uris), ...read };
  const metadata = { ...signingDefaults, ...described };
  const client_id = `dyn_${randomBytes(18).toString('base64url')}`;
  await deps.validateMetadata({ ...metadata, client_id });
  return inTransaction(deps.db, async (trx) => {
    const created_at = deps.now();
    const client = await insertClient(trx, {
      ...{ id: uuidv7(), client_id, type: 'agent', registered_by: 'dynamic', metadata: JSON.stringify(metadata) },
      ...withoutRights,
      ...{ created_at, updated_at: created_at },
    });
    const kept_until = new Date(created_at.getTime() + unusedSeconds * 1000);
    await insertSelfRegistered(trx, { client_id: client.id, kept_until });
    await appendEvent(trx, {
      actor,
      action: 'client.created',
      target: { kind: 'client', id: client_id },
      details: { type: 'agent', enabled: true, registered_by: 'dynamic' },
      occurred_at: created_at,
    });
    const { made } = await keepSecrets(trx, deps, actor, { client, given: undefined, live: [] });
    return { client_id, created_at, metadata: { ...described, ...(scope && { scope }) }, ...made };
  });
}

/** Grants that are not available are refused, not left out: a client that requests one would rely on it. @throws SelfRegistrationError */
function refusePowers(given: unknown): void {
  const { grant_types } = (given ?? {}) as Record<string, unknown>;
  if (Array.isArray(grant_types) && grant_types.some((name) => powers.has(name)))
    throw new SelfRegistrationError('grant_types', 'must not contain a grant without a user');
}

/**
 * The scopes of a description that the client may request from users (RFC 7591 §3.2.1: the server may replace requested values).
 * Clients name all scopes that an API publishes, so those that are not open are left out if at least one is open.
 *
 * @returns undefined: the description names none
 * @throws SelfRegistrationError
 */
function scopeOf(given: unknown, { declared, open }: RegistrableScopes): string | undefined {
  const { scope } = (given ?? {}) as Record<string, unknown>;
  const named = typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [];
  const kept = named.filter((name) => open.includes(name));
  if (!named.every((name) => declared.includes(name)) || (named.length > 0 && kept.length === 0))
    throw new SelfRegistrationError('scope', 'must contain scopes only that APIs are open with to anyone');
  return named.length > 0 ? kept.join(' ') : undefined;
}
