import type { Right } from '../access/index.ts';
import type { Restrictions } from '../restrictions/index.ts';

/** A key as the gateway needs it, found by its digest. */
export type KeyRecord = {
  id: string;
  name: string;
  environment: string;
  owner_id: string;
  owner_kind: 'user' | 'client';
  owner: string;
  owner_enabled: boolean;
  enabled: boolean;
  expires_at: Date | null;
  revoked_at: Date | null;
  ends_at: Date | null;
  /** The number of the version with this digest. */
  number: number;
  permissions: Right[];
  role_rights: Right[];
  roles: string[];
  /** The permissions of the owner, if they limit the key: for a user's key. */
  owner_rights: Right[] | null;
  /** When the first of the owner's roles expires. */
  owner_rights_until: Date | null;
  restrictions: Restrictions;
};

const rightsJson = `json_agg(json_build_object('resource', p.resource, 'pattern', p.pattern))`;
const current = 'a.subject_id = k.owner_id and (a.until is null or a.until > $2)';

/**
 * Finds keys (`KeyRecord`) by their digests, `$1`, at the time `$2`; every row has its position `n`. It takes one indexed lookup
 * each, and joins the rest. It is a prepared statement, because planning takes five times as long as execution.
 */
export const readApiKey = {
  name: 'read api key',
  text: `select d.n, k.id, k.name, k.environment, k.owner_id, k.enabled, k.expires_at, k.revoked_at, k.permissions, k.restrictions,
      v.ends_at, v.number,
      s.kind as owner_kind, coalesce(u.username, c.client_id) as owner, coalesce(u.enabled, c.enabled, false) as owner_enabled,
      coalesce((select ${rightsJson} from api_key_roles x join role_permissions p on p.role_id = x.role_id where x.key_id = k.id), '[]')
        as role_rights,
      coalesce((select json_agg(r.name) from api_key_roles x join roles r on r.id = x.role_id where x.key_id = k.id), '[]') as roles,
      case when s.kind = 'user' then coalesce((select ${rightsJson} from standing_role_assignments a
        join role_permissions p on p.role_id = a.role_id where ${current}), '[]') end as owner_rights,
      case when s.kind = 'user' then (select min(a.until) from standing_role_assignments a where ${current}) end as owner_rights_until
    from unnest($1::bytea[]) with ordinality as d(digest, n) join api_key_versions v on v.digest = d.digest
      join api_keys k on k.id = v.key_id join subjects s on s.id = k.owner_id
      left join users u on u.id = s.id left join clients c on c.id = s.id`,
};
