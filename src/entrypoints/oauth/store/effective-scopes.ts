import { clientResourcesAt, intersection, servicePermissions } from '../../../domain/access/index.ts';
import { scopesIn } from '../scopes/request-bounds.ts';

/** The scopes that the owners of an access token may have at its API at the moment of the read. */
export type RightsNow = {
  /** For a token of an API key: the key's permissions there, and, if it is a user's, the user's. */
  key: { own: string[]; person: string[] | null } | null;
  /** What the client may request from users there, or has itself. */
  client: string[];
  /** What the trust of the token may grant there; null: there is none. */
  limit: string[] | null;
  /** What the roles of the user, or of the client that acts for itself, allow there; null: the API requires no roles. */
  roles: string[] | null;
};

const ofRoles = (subject: string) => `permissions_by_roles(${subject}, t.audience, $2)`;

/** `RightsNow` of access token `t`, a row of its view, as text of a statement with `$2` as the time. */
export const rightsNow = `case when t.audience is null then null
  when t.api_key_id is not null then json_build_object('key', json_build_object('own', permissions_of_key(t.api_key_id, t.audience),
    'person', case when t.user_id is not null then ${ofRoles('t.user_id')} end))
  else (select case when t.user_id is not null then json_build_object(
      'limit', case when t.identity_id is not null then coalesce((select tr.permissions -> t.audience from standing_trusts tr
        where tr.id = t.trust_id), '[]'::json) end,
      'client', ${clientResourcesAt('t.audience')},
      'roles', case when t.audience_requires_roles then ${ofRoles('t.user_id')} end)
    else json_build_object('client', (${servicePermissions}) -> t.audience, 'roles', ${ofRoles('t.client_id')}) end
    from (select t.client_type as type, t.client_registered_by as registered_by, t.client_resources as resources,
      t.client_service_permissions as service_permissions) c) end`;

type Scoped = { scope: string | null; user_id: string | null; rights_now: Partial<RightsNow> | null };

/**
 * The scopes that a token still has (DESIGN.md §7: permissions are checked at use): those it was issued with, as far as its client, its
 * user's roles or its API key allow them now.
 *
 * @param but `roles` leaves out the roles of a user, for callers that check them separately
 */
export function effectiveScopes({ scope, user_id, rights_now }: Scoped, { but }: { but?: 'roles' } = {}): string[] {
  const scopes = scopesIn(scope ?? '');
  if (rights_now === null) return scopes;
  const { key, client, limit, roles } = rights_now;
  if (key) return [key.own, ...(key.person ? [key.person] : [])].reduce<string[]>(intersection, scopes);
  if (user_id === null) return intersection(scopes, [...(client ?? []), ...(roles ?? [])]);
  const ofClient = intersection(scopes, client ?? []);
  const entitled = limit ? intersection(ofClient, limit) : ofClient;
  return roles && but !== 'roles' ? intersection(entitled, roles) : entitled;
}
