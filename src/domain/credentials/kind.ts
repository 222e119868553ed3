import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { z } from 'zod';
import type { Db } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { Language } from '../../platform/languages/index.ts';
import type { Credential, CredentialOrder } from './schemas.ts';

/** Dependencies for revoking any kind of credential. */
export type CredentialDeps = { db: Db; now: () => Date; jobs: Pick<Jobs, 'send'> };

/** Dependencies for finding a credential by its value. */
export type FindingDeps = {
  db: Db;
  now: () => Date;
  keys: ServerKeys;
  /** Whether this server issued a JWT, by its signature: anyone can write a JWT with the id of another one. */
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
  /** Its name in the API: `api_key`. */
  kind: string;
  /** Its name on pages: `API key`. */
  label: string;
  /** The permission that seeing credentials of this kind requires in addition to `latchkey:credential:read`. */
  permission: string;
  /** There are as many as users or requests: they are listed only if the kind or an owner is given. */
  isNumerous: boolean;
  /** The orders in which an index lists them without an owner, the first one by default; absent: every order. */
  orders?: readonly [CredentialOrder, ...CredentialOrder[]];
  inventory: Inventory;
  /** What is revoked with one of them; absent: only itself. */
  reach?: (id: string) => Reach;
  /** How a leaked value is recognized; absent: values of this kind are not recognized. */
  leak?: {
    /** The credential of this value, in use or rotated away from but still accepted; undefined: none of this kind. */
    find: (deps: FindingDeps, value: string) => Promise<Found | undefined>;
    /** Its name for its owner in each language, without its value. */
    nameOf: (db: Db, credential: Credential, value: string) => Promise<Readonly<Record<Language, string>>>;
  };
  /** Absent: a single credential of this kind is replaced, not revoked. */
  revoke?: {
    /** The required permission in addition to `latchkey:token:revoke`. */
    permission: string;
    /** Revokes one that was found (`lockCredential`), in the transaction of `deps.db`. */
    one: (deps: CredentialDeps, actor: Actor, id: string) => Promise<void>;
  };
};

/** A credential by its id in the inventory, and which version of it has the value. */
type Found = { id: string; version?: number };

/** The tables that hold the credentials of a kind; most kinds have one. */
export type Inventory = readonly Branch[];

/** One table of credentials, as a part of the list of all. */
export type Branch = {
  /** Unique among all branches: it orders equal rows of several branches. */
  name: string;
  kind: string;
  columns: Readonly<Record<keyof Columns, RawBuilder<unknown>>>;
  /** The tables, and the condition for rows that are credentials; further conditions can follow. */
  from: RawBuilder<unknown>;
  /** The same for counting: without the tables that are joined for columns. */
  counted: RawBuilder<unknown>;
  ownedBy: (owner_id: string) => RawBuilder<SqlBool>;
  orders: Readonly<Record<CredentialOrder, RawBuilder<unknown>>>;
  key: Key;
};

/** The column that identifies a credential, and orders equal ones: a stored column that sorts like the ids. */
export type Key = {
  column: string;
  /** The first and the last value of the column that an id may mean; undefined: the id cannot be of this kind. */
  range: (id: string) => readonly [RawBuilder<unknown>, RawBuilder<unknown>] | undefined;
};

const exactly = (value: RawBuilder<unknown>) => [value, value] as const;

/** A column of SHA-256 digests; the ids are in hex. */
export const digestKey = (column: string): Key => ({
  column,
  range: (id) => (/^[0-9a-f]{64}$/.test(id) ? exactly(sql`decode(${id}, 'hex')`) : undefined),
});

/** A column of UUIDs. */
export const uuidKey = (column: string): Key => ({
  column,
  range: (id) => (z.uuid().safeParse(id).success ? exactly(sql`${id}::uuid`) : undefined),
});

/** A column of text. */
export const textKey = (column: string): Key => ({
  column,
  range: (id) => exactly(sql`${id}`),
});

type Source = {
  /** The tables, as SQL. */
  from: string;
  /** The condition for rows that are credentials of the kind, as SQL. Default: all. */
  where?: string;
  /** The table with one row for each credential, if `from` joins others for columns only. Default: `from`. */
  counted?: string;
  key: Key;
  /** Default: the kind. */
  name?: string;
  /** Whether each has an expiry, so that an index on that column serves the order. */
  allExpire?: true;
  /** The condition for rows of an owner, if no index finds `owner_id`. */
  ownedBy?: (owner_id: string) => RawBuilder<SqlBool>;
};

/** SQL expressions; null for columns that a kind does not have. */
type Columns = {
  /** Identifies the credential, never its value. Text. */
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
  /** Until when it is accepted, unless it is revoked before; `-infinity`: it is not accepted now. */
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

/** The columns of every branch. */
export const columnNames = Object.keys(types) as readonly (keyof Columns)[];

/**
 * The inventory of a kind that has one table.
 *
 * @param columns SQL expressions over the tables of `from`
 */
export function inventoryOf(kind: string, columns: Columns, source: Source): Inventory {
  const { from, where = 'true', counted = from, key, name = kind } = source;
  const column = (of: keyof Columns) => sql.raw(`(${columns[of] ?? 'null'})::${types[of]}`);
  const ownedBy = (owner_id: string) => sql<SqlBool>`${column('owner_id')} = ${owner_id}`;
  const branch: Branch = {
    name,
    kind,
    columns: Object.fromEntries(columnNames.map((of) => [of, column(of)])) as Branch['columns'],
    from: sql.raw(`from ${from} where ${where}`),
    counted: sql.raw(`from ${counted} where ${where}`),
    ownedBy: source.ownedBy ?? ownedBy,
    orders: {
      name: sql.raw(`lower(${columns.name}) collate "C"`),
      created_at: sql.raw(columns.created_at),
      // Credentials without an expiry come last; those that were never used come first.
      expires_at: sql.raw(
        source.allExpire
          ? `${columns.expires_at}`
          : `coalesce(${columns.expires_at ?? 'null'}, 'infinity'::timestamptz)`,
      ),
      due_at: sql.raw(`coalesce(${columns.due_at ?? 'null'}, 'infinity'::timestamptz)`),
      last_used_at: sql.raw(`coalesce(${columns.last_used_at ?? 'null'}, '-infinity'::timestamptz)`),
    },
    key,
  };
  return [branch];
}
