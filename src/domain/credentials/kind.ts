import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { Credential } from './schemas.ts';

/** What revoking any kind of credential takes. */
export type CredentialDeps = { db: Db; now: () => Date; jobs: Pick<Jobs, 'send'> };

/** What finding a credential by its value takes. */
export type FindingDeps = {
  db: Db;
  now: () => Date;
  keys: ServerKeys;
  /** Whether a JWT is one of ours, by its signature: anybody can write one that names somebody else's id. */
  isOurs: (jwt: string) => Promise<boolean>;
};

type Condition = RawBuilder<boolean>;

/**
 * What is refused once a credential is revoked: conditions on rows of `standing_sessions` `s`, `standing_refresh_families` `f`,
 * and `standing_access_tokens` and `standing_jwt_access_tokens` `t`. The credential itself is included where it is one of these.
 */
export type Reach = { session?: Condition; family?: Condition; token?: Condition; api_key_id?: string };

/**
 * A kind of credential: how its credentials are listed, and how one is revoked. Each module that owns a kind exports it from its
 * `kind.ts`; the admin API lists the kinds once.
 */
export type CredentialKind = {
  /** As it is named in the API: `api_key`. */
  kind: string;
  /** As people read it: `API key`. */
  label: string;
  /** What it takes, beside `latchkey:credential:read`, to see credentials of this kind. */
  permission: string;
  /** There are as many as users or requests: they are listed only where the kind or an owner is named. */
  isNumerous: boolean;
  inventory: Inventory;
  /** Whether ids are UUIDs. */
  hasUuids: boolean;
  /** What is revoked with one of them; absent: nothing but itself. */
  reach?: (id: string) => Reach;
  /** How a value that was found in public is recognised; absent: values of this kind are not. */
  leak?: {
    /** The credential of this value, in use or rotated away from but still accepted; undefined: none of this kind. */
    find: (deps: FindingDeps, value: string) => Promise<Found | undefined>;
    /** How it is named to its owner, without its value. */
    nameOf: (db: Db, credential: Credential, value: string) => Promise<string>;
  };
  /** Absent: a single credential of this kind is replaced, not revoked. */
  revoke?: {
    /** What it takes beside `latchkey:token:revoke`. */
    permission: string;
    /** Revokes one that was found (`lockCredential`), in the transaction of `deps.db`. */
    one: (deps: CredentialDeps, actor: Actor, id: string) => Promise<void>;
  };
};

/** A credential by its id in the inventory, and which version of it has the value. */
type Found = { id: string; version?: number };

/** Selects of the columns below, one row per credential; parts of a union over all kinds. */
export type Inventory = {
  all: RawBuilder<unknown>;
  /** Only the credential with this id, found by an index. */
  one: (id: string) => RawBuilder<unknown>;
};

type Source = {
  /** The tables, as SQL. */
  from: string;
  /** Which of their rows are credentials of the kind, as SQL. Default: all. */
  where?: string;
  /** The condition for one credential. It compares stored columns, not `id`, which is an expression that no index covers. */
  key: (id: string) => RawBuilder<unknown>;
};

/** SQL expressions; what a kind does not have is null. */
type Columns = {
  /** What finds the credential, never its value. Text. */
  id: string;
  name: string;
  /** The subject whose credential it is. */
  owner_id?: string;
  /** `high`, `medium` or `low`. */
  risk?: string;
  environment?: string;
  /** Which version of it is in use. */
  version?: string;
  created_at: string;
  last_used_at?: string;
  expires_at?: string;
  /** When it is due for rotation. */
  due_at?: string;
  /** Where it is used, or where it was sent. */
  location?: string;
  revoked_at?: string;
  /** Until when it is accepted, unless something ends it before: `-infinity` where it is not accepted now. */
  stands_until: string;
};

const types: Record<keyof Columns, string> = {
  id: 'text',
  name: 'text',
  owner_id: 'uuid',
  risk: 'text',
  environment: 'text',
  version: 'integer',
  created_at: 'timestamptz',
  last_used_at: 'timestamptz',
  expires_at: 'timestamptz',
  due_at: 'timestamptz',
  location: 'text',
  revoked_at: 'timestamptz',
  stands_until: 'timestamptz',
};

/**
 * The inventory of a kind.
 *
 * @param columns SQL expressions over the tables of `from`
 */
export function inventoryOf(kind: string, columns: Columns, { from, where = 'true', key }: Source): Inventory {
  const selected = Object.entries(types).map(
    ([name, type]) => `(${columns[name as keyof Columns] ?? 'null'})::${type} as ${name}`,
  );
  const all = sql.raw(`select '${kind}'::text as kind, ${selected.join(', ')} from ${from} where ${where}`);
  return { all, one: (id) => sql`${all} and ${key(id)}` };
}
