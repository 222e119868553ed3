import type { Adapter, AdapterPayload } from 'oidc-provider';
import pg from 'pg';

const table = `
  create table oidc_models (
    model text not null,
    id text not null,
    payload json not null,
    grant_id text,
    uid text,
    user_code text,
    expires_at timestamptz,
    consumed_at timestamptz,
    primary key (model, id)
  );
  create index on oidc_models (grant_id);
  create index on oidc_models (uid);
  create index on oidc_models (user_code)`;

type Row = { payload: AdapterPayload; consumed_at: Date | null };

/** The simplest adapter: one table, the payload as JSON, one query per method. */
export async function openPostgresAdapter(url: string): Promise<(model: string) => Adapter> {
  const pool = new pg.Pool({ connectionString: url, max: 10 });
  await pool.query(table);
  return (model) => adapterOf(pool, model);
}

function adapterOf(pool: pg.Pool, model: string): Adapter {
  const findBy = (column: 'id' | 'uid' | 'user_code') => async (value: string) => {
    const { rows } = await pool.query<Row>(
      `select payload, consumed_at from oidc_models where model = $1 and ${column} = $2 and (expires_at is null or expires_at > now())`,
      [model, value],
    );
    return rows[0] && payloadOf(rows[0]);
  };
  return {
    find: findBy('id'),
    findByUid: findBy('uid'),
    findByUserCode: findBy('user_code'),
    upsert: async (id, payload, expiresIn) => {
      await pool.query(
        `insert into oidc_models (model, id, payload, grant_id, uid, user_code, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (model, id) do update set payload = excluded.payload, grant_id = excluded.grant_id, uid = excluded.uid,
           user_code = excluded.user_code, expires_at = excluded.expires_at`,
        [model, id, payload, payload.grantId, payload.uid, payload.userCode, expiryOf(expiresIn)],
      );
    },
    consume: async (id) => {
      await pool.query('update oidc_models set consumed_at = now() where model = $1 and id = $2', [model, id]);
    },
    destroy: async (id) => {
      await pool.query('delete from oidc_models where model = $1 and id = $2', [model, id]);
    },
    revokeByGrantId: async (grantId) => {
      await pool.query('delete from oidc_models where grant_id = $1', [grantId]);
    },
  };
}

function payloadOf({ payload, consumed_at }: Row): AdapterPayload {
  return consumed_at ? { ...payload, consumed: Math.floor(consumed_at.getTime() / 1000) } : payload;
}

function expiryOf(expiresIn: number | undefined): Date | null {
  return expiresIn ? new Date(Date.now() + expiresIn * 1000) : null;
}
