import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { z } from 'zod';
import type { Db } from '../../platform/database/index.ts';
import type { Actor } from '../../platform/http/index.ts';
import type { Jobs } from '../../platform/jobs/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { Language } from '../../platform/languages/index.ts';
import type { Credential, CredentialOrder } from './schemas.ts';

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
  /** The orders in which an index lists them without an owner, the first one by default; absent: every order. */
  orders?: readonly [CredentialOrder, ...CredentialOrder[]];
  inventory: Inventory;
  /** What is revoked with one of them; absent: nothing but itself. */
  reach?: (id: string) => Reach;
  /** How a value that was found in public is recognized; absent: values of this kind are not. */
  leak?: {
    /** The credential of this value, in use or rotated away from but still accepted; undefined: none of this kind. */
    find: (deps: FindingDeps, value: string) => Promise<Found | undefined>;
    /** How it is named to its owner in each language, without its value. */
    nameOf: (db: Db, credential: Credential, value: string) => Promise<Readonly<Record<Language, string>>>;
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

/** The tables that hold the credentials of a kind; most kinds have one. */
export type Inventory = readonly Branch[];

/** One table of credentials, as a part of the list of all. */
export type Branch = {
  /** Unique among all branches: it orders rows of several that are alike otherwise. */
  name: string;
  kind: string;
  columns: Readonly<Record<keyof Columns, RawBuilder<unknown>>>;
  /** The tables, and which of their rows are credentials; to be continued with further conditions. */
  from: RawBuilder<unknown>;
  /** The same for counting: without the tables that are joined for columns. */
  counted: RawBuilder<unknown>;
  ownedBy: (owner_id: string) => RawBuilder<SqlBool>;
  orders: Readonly<Record<CredentialOrder, RawBuilder<unknown>>>;
  key: Key;
};

/** What finds one credential, and orders those that are alike otherwise: a stored column, which sorts as ids do. */
export type Key = {
  column: string;
  /** The first and the last value of the column that an id may mean; undefined: it is no id of the kind. */
  range: (id: string) => readonly [RawBuilder<unknown>, RawBuilder<unknown>] | undefined;
};

const exactly = (value: RawBuilder<unknown>) => [value, value] as const;

/** A column of SHA-256 digests, which ids have in hex. */
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
  /** Which of their rows are credentials of the kind, as SQL. Default: all. */
  where?: string;
  /** The table with one row for each, where `from` joins others that are needed for columns only. Default: `from`. */
  counted?: string;
  key: Key;
  /** Default: the kind. */
  name?: string;
  /** Whether each has an expiry, so that an index of the column alone serves the order. */
  allExpire?: true;
  /** Which rows are of an owner, where no index finds `owner_id`. */
  ownedBy?: (owner_id: string) => RawBuilder<SqlBool>;
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

/** The columns of every branch. */
export const columnNames = Object.keys(types) as readonly (keyof Columns)[];

/**
 * The inventory of a kind that is in one table.
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
      // What does not expire comes after everything else, what was never used before.
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
