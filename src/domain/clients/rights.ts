import { isDeepStrictEqual } from 'node:util';
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
import { dayMs } from '../credentials/index.ts';
import type { ClientInput } from './schemas.ts';
import type { Client } from './store.ts';

type Registered = Pick<ClientInput, 'resources' | 'service_permissions' | 'introspects' | 'first_party' | 'enabled'> & {
  metadata: Record<string, unknown>;
};

type Act = {
  now: () => Date;
  actor: Actor;
  client_id: string;
  /** As it is; absent: it is new. */
  client?: Client | undefined;
  /** As it is to be; absent: it stays. */
  desired?: Registered | undefined;
  /** The actor gets, or sets, a secret of it that lasts until then; null: for good. */
  secret?: { until: Date | null } | undefined;
};

const credentialsPermission = 'latchkey:client:credentials';

/**
 * Members of a registration (RFC 7591) that say nothing of where sign-ins go, how the client proves who it is, or what protects
 * its tokens. Whatever is not listed here does, unless somebody finds out that it does not.
 */
const descriptive: ReadonlySet<string> = new Set([
  ...['client_name', 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'contacts', 'scope'],
  ...['default_max_age', 'require_auth_time', 'default_acr_values'],
]);

/**
 * Whoever registers or changes a client, or gets a secret of it, could act as it. So they must hold all that it may ask for or
 * has, before and after; and need the permission of what else it is given:
 * - that people are not asked about it (`first_party`),
 * - that it sees the tokens of an API (`introspects`, or an API's identifier as its own: tokens with this audience are meant for it),
 * - that it stops (`enabled: false`), as the verb for that needs,
 * - that its sign-ins go elsewhere, or that it proves who it is in another way (`latchkey:client:credentials`): people trust
 *   the client that they know,
 * - that somebody gets, or sets, a secret of it (`latchkey:client_secret:create`).
 * What is given lasts no longer than what the actor acts by.
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
    mustBePermitted(actor, 'latchkey:first_party:allow', 'A client that people are not asked about (first_party)');
  const isAddress = /^(?:https?|urn):/i.test(client_id);
  const seesTokens = isAddress || states.some(({ introspects }) => introspects.length > 0);
  if (seesTokens)
    mustBePermitted(actor, 'latchkey:resource_server:write', 'A client that sees the tokens of an API (introspects)');
  if (client?.enabled && desired?.enabled === false)
    mustBePermitted(actor, 'latchkey:client:disable', 'Disabling a client');
  const changed = client && desired ? identityChangedIn(client, desired) : [];
  if (changed.length > 0)
    mustBePermitted(actor, credentialsPermission, `Changing "${changed.join('", "')}" of a client that is there`);
  if (client && secret) mustBePermitted(actor, 'latchkey:client_secret:create', 'Setting a secret of a client');
  const gives = rights.length > 0 || isFirstParty || seesTokens;
  const isMore = gives && desired !== undefined && (client === undefined || givesMore(client, desired));
  if (isMore || changed.length > 0) mustNotExceedLimits(actor, { what: 'what this client may do', until: null });
  if (client && secret) mustNotExceedLimits(actor, secretFor(actor, now(), secret.until));
}

function secretFor(actor: Actor, now: Date, until: Date | null): Gift {
  const latest = latestEnd(actor);
  const days = latest === null ? 0 : Math.floor((latest.getTime() - now.getTime()) / dayMs);
  const send =
    days > 0 ? `Send "expires_in_days" of at most ${days}.` : 'Use a credential that lasts longer than a day.';
  return { what: 'this client secret', until, pointer: '/expires_in_days', send };
}

/** Which members that are more than descriptive another registration has otherwise. */
function identityChangedIn({ metadata: before }: Registered, { metadata: after }: Registered): string[] {
  const members = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return members.filter((name) => !descriptive.has(name) && !isDeepStrictEqual(before[name], after[name]));
}

function givesMore(before: Registered, after: Registered): boolean {
  const seesMore = after.introspects.some((identifier) => !before.introspects.includes(identifier));
  return seesMore || (after.first_party && !before.first_party) || addsRights(rightsIn(before), rightsIn(after));
}

/** What a client may ask for, and have itself. */
function rightsIn({ resources, service_permissions }: Registered): Right[] {
  return [resources, service_permissions].flatMap((perResource) =>
    Object.entries(perResource).flatMap(([resource, patterns]) => patterns.map((pattern) => ({ resource, pattern }))),
  );
}

/**
 * The id of the owner that an input names; null: nobody. An owner gains no rights by it. Whoever names another than themselves
 * must be allowed to see that user or client: the answer tells whether there is one.
 *
 * @throws Problem `invalid`: there is no such owner; `forbidden`: the actor may not see users or clients
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
  mustBePermitted(actor, permission, 'Naming somebody else as the owner');
}
