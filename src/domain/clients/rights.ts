import { isDeepStrictEqual } from 'node:util';
import type { FactorKind } from '../../../db/schema.ts';
import type { Trx } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import {
  addsRights,
  type Gift,
  latestEnd,
  listHeldRights,
  mustBePermitted,
  mustHold,
  mustNotExceedLimits,
  type Owner,
  type Right,
  subjectOf,
} from '../access/index.ts';
import { isWithin } from '../assurance/index.ts';
import { dayMs } from '../credentials/index.ts';
import type { ClientInput } from './schemas.ts';
import type { Client } from './store.ts';

type Registered = Pick<ClientInput, 'resources' | 'service_permissions' | 'introspects' | 'first_party' | 'enabled'> & {
  metadata: Record<string, unknown>;
  allowed_factors: readonly FactorKind[] | null;
};

type Act = {
  now: () => Date;
  actor: Actor;
  client_id: string;
  /** Its present state; absent: it is new. */
  client?: Client | undefined;
  /** Its desired state; absent: no change. */
  desired?: Registered | undefined;
  /** The actor gets, or sets, a secret of the client that expires then; null: never. */
  secret?: { until: Date | null } | undefined;
};

const credentialsPermission = 'latchkey:client:credentials';

/**
 * Members of a registration (RFC 7591) that affect neither redirects nor authentication nor the protection of tokens. A member
 * that is not listed here counts as one that does.
 */
const descriptive: ReadonlySet<string> = new Set([
  ...['client_name', 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'contacts', 'scope'],
  ...['default_max_age', 'require_auth_time'],
]);

/**
 * Guards registering and changing a client, and creating a secret for it: with that, the actor could act as the client. The actor
 * must hold every permission that the client may request or has, before and after, and needs a separate permission for each of
 * the following:
 * - `first_party`: users are not asked for consent,
 * - `introspects`, or an API's identifier as the `client_id` (tokens with this audience are meant for it): it can see the tokens
 * of an API,
 * - `enabled: false`: the permission to disable clients,
 * - a change of redirect URIs, keys or authentication, or more sign-in methods (`latchkey:client:credentials`): users trust the client
 *   that they know,
 * - a secret (`latchkey:client_secret:create`).
 * What the client gets lasts no longer than the actor's own credential.
 *
 * @throws Problem `forbidden` naming what is missing
 */
export async function mustBeAllowedWith(
  trx: Trx,
  { now, actor, client_id, client, desired, secret }: Act,
): Promise<void> {
  const states = [client, desired].filter((state) => state !== undefined);
  const held = client ? await listHeldRights(trx, client.id, now()) : [];
  const rights = [...held, ...states.flatMap(rightsIn)];
  await mustHold({ db: trx, now }, actor, rights);
  const isFirstParty = states.some(({ first_party }) => first_party);
  if (isFirstParty)
    mustBePermitted(actor, 'latchkey:first_party:allow', 'A client that skips the consent page (first_party)');
  const isAddress = /^(?:https?|urn):/i.test(client_id);
  const seesTokens = isAddress || states.some(({ introspects }) => introspects.length > 0);
  if (seesTokens)
    mustBePermitted(
      actor,
      'latchkey:resource_server:write',
      'A client that can introspect the tokens of an API (introspects)',
    );
  if (client?.enabled && desired?.enabled === false)
    mustBePermitted(actor, 'latchkey:client:disable', 'Disabling a client');
  const changed = client && desired ? identityChangedIn(client, desired) : [];
  if (changed.length > 0)
    mustBePermitted(actor, credentialsPermission, `Changing "${changed.join('", "')}" of an existing client`);
  if (client && secret) mustBePermitted(actor, 'latchkey:client_secret:create', 'Setting a secret of a client');
  const gives = rights.length > 0 || isFirstParty || seesTokens;
  const isMore = gives && desired !== undefined && (client === undefined || givesMore(client, desired));
  if (isMore || changed.length > 0) mustNotExceedLimits(actor, { what: 'the permissions of this client', until: null });
  if (client && secret) mustNotExceedLimits(actor, secretFor(actor, now(), secret.until));
}

function secretFor(actor: Actor, now: Date, until: Date | null): Gift {
  const latest = latestEnd(actor);
  const days = latest === null ? 0 : Math.floor((latest.getTime() - now.getTime()) / dayMs);
  const send = days > 0 ? `Send "expires_in_days" of at most ${days}.` : 'Use a credential that lasts more than a day.';
  return { what: 'this client secret', until, pointer: '/expires_in_days', send };
}

/** The members, apart from descriptive ones, that differ between two registrations. Allowing fewer sign-in methods does not count. */
function identityChangedIn(present: Registered, desired: Registered): string[] {
  const [before, after] = [present.metadata, desired.metadata];
  const members = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = members.filter((name) => !descriptive.has(name) && !isDeepStrictEqual(before[name], after[name]));
  return isWithin(desired.allowed_factors, present.allowed_factors) ? changed : [...changed, 'allowed_factors'];
}

function givesMore(before: Registered, after: Registered): boolean {
  const seesMore = after.introspects.some((identifier) => !before.introspects.includes(identifier));
  return seesMore || (after.first_party && !before.first_party) || addsRights(rightsIn(before), rightsIn(after));
}

/** The permissions that a client may request on behalf of users, and have for itself. */
function rightsIn({ resources, service_permissions }: Registered): Right[] {
  return [resources, service_permissions].flatMap((perResource) =>
    Object.entries(perResource).flatMap(([resource, patterns]) => patterns.map((pattern) => ({ resource, pattern }))),
  );
}

/**
 * The id of the owner that an input names; null: none. Being an owner grants no permission. An actor who names another user or
 * client must be allowed to read it, because the response reveals whether it exists.
 *
 * @throws Problem `invalid`: there is no such owner; `forbidden`: the actor may not read users or clients
 */
export async function ownerOf(
  trx: Trx,
  actor: Actor,
  owner: Owner | undefined,
  existing: Client | undefined,
): Promise<string | null> {
  if (owner === undefined) return null;
  if (existing?.owner && isDeepStrictEqual(owner, existing.owner)) return existing.owner_id;
  const id = await subjectOf(trx, owner).catch((error: unknown) => {
    mustSee(actor, owner);
    throw error;
  });
  if (id !== actor.subject_id) mustSee(actor, owner);
  return id;
}

function mustSee(actor: Actor, owner: Owner): void {
  const permission = 'user' in owner ? 'latchkey:user:read' : 'latchkey:client:read';
  mustBePermitted(actor, permission, 'Naming another user or client as the owner');
}
