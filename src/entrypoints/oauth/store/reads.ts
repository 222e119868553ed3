import { clientResources, servicePermissions } from '../../../domain/access/index.ts';
import type { Client } from '../../../domain/clients/index.ts';
import type { Digest, Sealed } from '../../../platform/crypto/index.ts';
import { type RightsNow, rightsNow } from './effective-scopes.ts';
import type { KeyedRead } from './reader.ts';

/** A client as token requests need it; `resources` and `service_permissions` are all it has: by default, by name, or by open APIs. */
export type ClientRecord = Pick<
  Client,
  | 'id'
  | 'client_id'
  | 'type'
  | 'metadata'
  | 'resources'
  | 'service_permissions'
  | 'introspects'
  | 'lifetimes'
  | 'first_party'
  | 'claims_in_id_token'
  | 'allowed_factors'
  | 'registered_by'
> & {
  enabled: boolean;
  epoch: number;
  /** For a client that is described by a metadata document, or was until an operator registered it. Times as RFC 3339 texts. */
  document: { fresh_until: string; widened_at: string | null } | null;
  secrets: { id: string; digest: string; pepper_id: number; expires_at: string | null }[];
};

export type GrantRecord = {
  id: string;
  user_id: string;
  client_id: string;
  consent_id: string | null;
  session_uid: string | null;
  offline: boolean;
  payload: Record<string, unknown>;
};

/** The columns joined with every credential. */
export type UnderGrant = {
  client: Pick<ClientRecord, 'id' | 'client_id'>;
  grant: GrantRecord | null;
  person: UserRecord | null;
};

export type CodeRecord = UnderGrant & {
  digest: Digest;
  family_id: string;
  grant_id: string;
  user_id: string;
  payload: Record<string, unknown>;
  issued_at: Date;
  expires_at: Date;
};

export type FamilyRecord = UnderGrant & {
  id: string;
  grant_id: string;
  user_id: string;
  digest: Digest;
  key_id: number;
  previous_digest: Digest | null;
  previous_key_id: number | null;
  payload: Record<string, unknown>;
  issued_at: Date;
  expires_at: Date;
  absolute_expires_at: Date;
};

export type AccessTokenRecord = UnderGrant & {
  grant_id: string | null;
  user_id: string | null;
  /** The API key that the token was exchanged for. */
  api_key_id: string | null;
  /** The version of the key that was exchanged. */
  api_key_version: number | null;
  scope: string | null;
  audience: string | null;
  identity_scope: string | null;
  payload: Record<string, unknown>;
  issued_at: Date;
  expires_at: Date;
  /** Null: it is for no API. */
  rights_now: Partial<RightsNow> | null;
};

const clientJson = `json_build_object('id', c.id, 'client_id', c.client_id, 'type', c.type, 'metadata', c.metadata,
  'resources', ${clientResources}, 'service_permissions', ${servicePermissions}, 'registered_by', c.registered_by,
  'document', case when c.registered_by in ('document', 'operator') then (select json_build_object('fresh_until', s.fresh_until, 'widened_at', s.widened_at)
    from self_registered_clients s where s.client_id = c.id) end,
  'introspects', c.introspects, 'lifetimes', c.lifetimes,
  'first_party', c.first_party, 'claims_in_id_token', c.claims_in_id_token,
  'allowed_factors', c.allowed_factors, 'enabled', c.enabled, 'epoch', c.epoch, 'secrets', coalesce((
    select json_agg(json_build_object('id', s.id, 'digest', encode(s.digest, 'hex'), 'pepper_id', s.pepper_id,
      'expires_at', s.expires_at) order by s.id)
    from standing_client_secrets s where s.client_id = c.id and s.ends_at > $2), '[]'::json))`;

const grantJson = (
  id: string,
  payload: string,
) => `json_build_object('id', ${id}, 'user_id', t.user_id, 'client_id', t.client,
  'consent_id', t.consent_id, 'session_uid', t.session_uid, 'offline', t.offline, 'payload', ${payload})`;

// The user's claims are included: userinfo, ID tokens and introspection need no read of their own.
const userJson = `json_build_object('id', u.id, 'username', u.username, 'email', u.email, 'email_verified', u.email_verified,
  'name', u.name, 'updated_at', u.updated_at)`;
const ownerJson = `(select ${userJson} from users u where u.id = t.user_id and u.enabled)`;
/** The columns joined with a credential `t` (`UnderGrant`). */
const underGrant = `json_build_object('id', t.client_id, 'client_id', t.client) as client,
    case when t.grant_id is not null then ${grantJson('t.grant_id', 't.grant_payload')} end as grant, ${ownerJson} as person`;

type KeyType = 'text' | 'bytea' | 'uuid';

/** A read with `k(key, n)` for its keys; a single key costs PostgreSQL less as a value than as an array. */
const keyed = (name: string, type: KeyType, text: (keys: string) => string): KeyedRead => ({
  name,
  text: text(`unnest($1::${type}[]) with ordinality as k(key, n)`),
  textForOne: text(`(select $1::${type} as key, 1 as n) k`),
});

/**
 * The active rows of a view, as `t`, looked up by each key. Fenced by `offset 0`: if joined plainly, a view of many tables exceeds
 * `from_collapse_limit` of the planner, which would read all of the view for one key.
 */
const standing = (keys: string, view: string, key: string) =>
  `${keys} cross join lateral (select * from ${view} where ${key} = k.key and ends_at > $2 offset 0) t`;

export const readClient = keyed(
  'read client',
  'text',
  (keys) => `select k.n, ${clientJson} as client from ${keys} join clients c on c.client_id = k.key`,
);

export const readCode = keyed(
  'read code',
  'bytea',
  (
    keys,
  ) => `select k.n, t.digest, t.family_id, t.grant_id, t.user_id, t.payload, t.issued_at, t.expires_at, ${underGrant}
    from ${standing(keys, 'standing_authorization_codes', 'digest')}`,
);

export const readFamily = keyed(
  'read family',
  'bytea',
  (
    keys,
  ) => `select k.n, t.id, t.grant_id, t.user_id, t.digest, t.key_id, t.previous_digest, t.previous_key_id, t.payload,
      t.issued_at, t.expires_at, t.absolute_expires_at, ${underGrant}
    from ${standing(keys, 'standing_refresh_families', 'handle_digest')}`,
);

const accessToken = (view: string, key: string) => (keys: string) =>
  `
  select k.n, t.grant_id, t.user_id, t.api_key_id, t.api_key_version, t.scope, t.audience, t.identity_scope, t.payload, t.issued_at, t.expires_at,
    ${rightsNow} as rights_now, ${underGrant}
  from ${standing(keys, view, key)}`;

export const readAccessToken = keyed('read access token', 'bytea', accessToken('standing_access_tokens', 'digest'));
export const readJwtAccessToken = keyed(
  'read jwt access token',
  'text',
  accessToken('standing_jwt_access_tokens', 'jti'),
);

export const readGrant = keyed(
  'read grant',
  'uuid',
  (keys) => `select k.n, ${grantJson('t.id', 't.payload')} as grant
    from ${standing(keys, 'standing_grants', 'id')}`,
);

export type SessionRecord = {
  uid: string;
  user_id: string | null;
  user_epoch: number | null;
  login_at: Date | null;
  acr: string | null;
  amr: string[] | null;
  transient: boolean;
  sealed_state: Sealed | null;
  created_at: Date;
  last_seen_at: Date;
  expires_at: Date;
  clients: { client_id: string; sid: string | null; grant_id: string | null; persists_logout: boolean }[];
  person: UserRecord | null;
};

const session = (found: string) => `
  select k.n, s.uid, s.user_id, s.user_epoch, s.login_at, s.acr, s.amr, s.transient, s.sealed_state, s.created_at, s.last_seen_at, s.expires_at,
    coalesce((select json_agg(json_build_object('client_id', c.client_id, 'sid', sc.sid, 'grant_id', sc.grant_id, 'persists_logout', sc.persists_logout))
      from session_clients sc join clients c on c.id = sc.client_id where sc.session_uid = s.uid), '[]'::json) as clients,
    (select ${userJson} from users u where u.id = s.user_id and u.enabled) as person
  from ${found}`;
const standingSession = (uid: string) =>
  `cross join lateral (select * from standing_sessions where uid = ${uid} and expires_at > $2 offset 0) s`;

export const readSession = keyed('read session', 'bytea', (keys) =>
  session(
    `${keys} join session_ids i on i.digest = k.key and i.expires_at > $2 and i.retired_at is null ${standingSession('i.session_uid')}`,
  ),
);

export const readSessionByUid = keyed('read session by uid', 'text', (keys) =>
  session(`${keys} ${standingSession('k.key')}`),
);

export type InteractionRecord = { sealed: Sealed; expires_at: Date };

export const readInteraction = keyed(
  'read interaction',
  'bytea',
  (keys) =>
    `select k.n, i.sealed, i.expires_at from ${keys} join interactions i on i.digest = k.key and i.expires_at > $2`,
);

export type PushedRequestRecord = { sealed: Sealed; expires_at: Date; consumed_at: Date | null };

export const readPushedRequest = keyed(
  'read pushed request',
  'bytea',
  (keys) => `select k.n, p.sealed, p.expires_at, p.consumed_at from ${keys} join pushed_requests p on p.digest = k.key
    and p.expires_at > $2`,
);

export type DeviceCodeRecord = UnderGrant & {
  digest: Digest;
  family_id: string;
  grant_id: string | null;
  user_id: string | null;
  sealed: Sealed;
};

const deviceCode = (key: 'digest' | 'user_code_digest') => (keys: string) =>
  `
  select k.n, t.digest, t.family_id, t.grant_id, t.user_id, t.sealed, ${underGrant}
  from ${standing(keys, 'standing_device_codes', key)}`;

export const readDeviceCode = keyed('read device code', 'bytea', deviceCode('digest'));
export const readDeviceCodeByUserCode = keyed('read device code by user code', 'bytea', deviceCode('user_code_digest'));

export type UserRecord = {
  id: string;
  username: string;
  email: string | null;
  email_verified: boolean;
  name: string | null;
  /** RFC 3339 */
  updated_at: string;
};

export const readUser = keyed(
  'read user',
  'uuid',
  (keys) => `select k.n, ${userJson} as person, $2::timestamptz as read_at
    from ${keys} join users u on u.id = k.key and u.enabled`,
);

export const readGroups = keyed(
  'read groups',
  'uuid',
  (keys) => `select k.n, coalesce((select json_agg(distinct r.exported_as) from standing_role_assignments a
      join roles r on r.id = a.role_id
      where a.subject_id = k.key and r.exported_as is not null and (a.until is null or a.until > $2)), '[]'::json) as groups
    from ${keys}`,
);
