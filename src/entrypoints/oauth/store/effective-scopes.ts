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

const patterns = (rights: string, condition = 'true') => `coalesce((select json_agg(p.pattern) from ${rights}
  where (p.resource is null or p.resource = t.audience) and ${condition}), '[]'::json)`;
const ofRoles = (subject: string) =>
  patterns(
    'standing_role_assignments a join role_permissions p on p.role_id = a.role_id',
    `a.subject_id = ${subject} and (a.until is null or a.until > $2)`,
  );

/** `RightsNow` of access token `t`, as text of a statement with `$2` as the time. */
export const rightsNow = `case when t.audience is null then null
  when t.api_key_id is not null then (select json_build_object('key', json_build_object(
      'own', ${patterns(`(select x.resource, x.pattern from json_to_recordset(k.permissions) as x(resource text, pattern text)
        union all select p.resource, p.pattern from api_key_roles kr join role_permissions p on p.role_id = kr.role_id
          where kr.key_id = k.id) p`)},
      'person', case when t.user_id is not null then ${ofRoles('t.user_id')} end)) from api_keys k where k.id = t.api_key_id)
  when t.user_id is not null then json_build_object(
    'limit', case when t.identity_id is not null then coalesce((select tr.permissions -> t.audience from standing_trusts tr
      where tr.id = t.trust_id), '[]'::json) end,
    'client', (select ${clientResourcesAt('t.audience')} from clients c where c.id = t.client_id),
    'roles', (select case when r.assignment_required then ${ofRoles('t.user_id')} end
      from resource_servers r where r.identifier = t.audience))
  else json_build_object(
    'client', (select (${servicePermissions}) -> t.audience from clients c where c.id = t.client_id),
    'roles', ${ofRoles('t.client_id')}) end`;

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
