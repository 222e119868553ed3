import type { TestDatabase } from './database.ts';

/**
 * Thirty days of counted activity: more by day than by night, and a wave of failed sign-ins in the hour before last. It depends only
 * on the time of the call.
 */
export async function insertActivity(database: TestDatabase): Promise<void> {
  await database.query(`
    insert into activity_counts (step_seconds, starts_at, kind, outcome, count)
      select s.seconds, t, k.kind, k.outcome,
          greatest(0, round(k.most * s.seconds / 3600.0 * (0.55 - 0.45 * cos(extract(hour from t) * pi() / 12))
            + (extract(epoch from t)::bigint / s.seconds * 7919 % 11)))::bigint
        from (values (300, interval '2 days'), (3600, interval '30 days')) s(seconds, kept)
          cross join lateral generate_series(date_bin(make_interval(secs => s.seconds), latchkey_now() - s.kept, 'epoch'),
            latchkey_now(), make_interval(secs => s.seconds)) t
          cross join (values ('token', 'allowed', 900), ('api_key', 'allowed', 5000), ('api_key', 'refused', 260),
            ('introspection', 'allowed', 400), ('sign_in', 'allowed', 30), ('session', 'allowed', 320)) k(kind, outcome, most)
      on conflict do nothing`);
  await database.query(`
    insert into activity_counts (step_seconds, starts_at, kind, outcome, count)
      select 3600, t, 'sign_in', 'refused', case when t = date_trunc('hour', latchkey_now()) - interval '2 hours' then 90 else 1 end
        from generate_series(date_trunc('hour', latchkey_now()) - interval '30 days', latchkey_now(), '1 hour') t
      on conflict do nothing`);
}

/** One example of each kind of problem on the overview. */
export async function insertTroubles(database: TestDatabase): Promise<void> {
  await database.query(`
    insert into webhooks (id, url, description, events, most_attempts, created_at, updated_at)
      values ('019ae000-0000-7000-8000-00000000000a', 'https://billing.example/hook', 'Billing events', '["*"]', 12, now(), now());
    insert into webhook_deliveries (id, webhook_id, message_id, type, state, attempts, last_status, created_at, updated_at)
      select gen_random_uuid(), '019ae000-0000-7000-8000-00000000000a', 'message-' || n, 'role.created', 'dead', 3, 503, now(), now() - interval '2 hours'
        from generate_series(1, 14) n;
    with made as (
      insert into api_keys (id, name, environment, owner_id, risk, permissions, restrictions, metadata, expires_at, created_at, updated_at)
        select gen_random_uuid(), 'orders-' || n, 'prod', (select id from users limit 1), 'high', '[]', '{}', '{}',
          now() + n * interval '1 day', now(), now() from generate_series(2, 4) n returning id)
      insert into api_key_versions (digest, key_id, number, start, last_four, issued_at)
        select sha256(id::text::bytea), id, 1, 'sk_prod_abcd', 'wxyz', now() from made;
    update clients set risk = 'high' where exists (select from client_secrets s where s.client_id = clients.id);
    update client_secrets set created_at = now() - interval '104 days';
    insert into pgboss.job (name, data, state, completed_on) values ('mail', '{}', 'failed', now() - interval '10 minutes')`);
}
