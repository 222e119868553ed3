import type { Db } from '../../platform/database/index.ts';
import { type Actor, forbidden, type Limit } from '../../platform/http/index.ts';
import { allows, effectivePermissions, intersection, patternsAt } from '../access/index.ts';
import type { Refusals } from '../audit/index.ts';
import { permissionFor, type SecretVerb } from './paths.ts';
import { isUserId } from './store.ts';

/** What a read checks again in its own statement: that the presented credential is still active. */
export type PresentedCredential = {
  access_token?: string | undefined;
  jti?: string | undefined;
  api_key_id?: string | undefined;
  subject_id?: string | undefined;
};

/** The caller, their permissions for secrets, and their credential. */
export type SecretCaller = { actor: Actor; rights: readonly string[]; credential: PresentedCredential };

/** The identifier of the store as a resource server. */
export const secretsAudience = (issuer: string): string => `${issuer}/v1`;

type CallerDeps = { db: Db; now: () => Date; issuer: string };

/**
 * A caller of the admin API. Their roles and the permissions of their API key at the store say which secrets they may use. An access token
 * for the admin API has no permission at another API; the permission of the route suffices.
 */
export async function callerOf(deps: CallerDeps, actor: Actor): Promise<SecretCaller> {
  const { kind, id, subject_id } = actor;
  const api_key_id = kind === 'api_key' ? id : undefined;
  return { actor, rights: await rightsOf(deps, actor), credential: { api_key_id, subject_id } };
}

async function rightsOf(deps: CallerDeps, actor: Actor): Promise<readonly string[]> {
  const { kind, subject_id, limits = [] } = actor;
  if (kind === 'system') return ['secrets:*'];
  if (subject_id === undefined) return [];
  const resource = secretsAudience(deps.issuer);
  const ofKeys = limits.filter(({ isOfAdminToken }) => !isOfAdminToken);
  const isKeyOfClient = kind === 'api_key' && !(await isUserId(deps.db, subject_id));
  // The key of a client has the permissions that it was created with; a user's key only those that the user holds.
  if (isKeyOfClient) return within(ofKeys, resource);
  return effectivePermissions(deps, { subject_id, limits: ofKeys, resource, scopes: ['secrets:*'] });
}

/** What a caller may do with secrets. */
export type SecretRights = {
  may: (verb: SecretVerb, path: string) => boolean;
  /** Whether there can be a secret with which the caller may do it. */
  mayAnywhere: (verb: SecretVerb) => boolean;
};

/** The rights of a caller of the admin API, so that pages offer only what will be allowed. Each verb checks them again. */
export async function secretRightsOf(deps: CallerDeps, actor: Actor): Promise<SecretRights> {
  const { rights } = await callerOf(deps, actor);
  return {
    may: (verb, path) => allows(rights, permissionFor(verb, path)),
    mayAnywhere: (verb) => intersection(rights, [`secrets:${verb}:*`]).length > 0,
  };
}

function within(limits: readonly Limit[], resource: string): string[] {
  return limits.reduce<string[]>((left, { rights }) => intersection(left, patternsAt(rights, resource)), ['secrets:*']);
}

/**
 * Guards every action on a secret. It runs before any lookup, so that a refusal does not reveal which secrets exist.
 *
 * @throws Problem `forbidden`, naming the permission
 */
export async function mustAllow(
  { refusals }: { refusals?: Refusals | undefined },
  { actor, rights }: SecretCaller,
  { verb, path }: { verb: SecretVerb; path: string },
): Promise<void> {
  const permission = permissionFor(verb, path);
  if (allows(rights, permission)) return;
  const target = { kind: 'secret', id: path };
  await refusals?.record({
    actor,
    action: 'secret.refused',
    target,
    reason: 'missing permission',
    details: { permission },
  });
  throw forbidden(permission, `This needs "${permission}".`);
}
