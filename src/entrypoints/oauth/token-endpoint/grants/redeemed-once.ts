import type { AuditAction } from '../../../../domain/audit/index.ts';
import type { GrantType } from './grant-type.ts';

type Redeemed = { name: string; source: string; table: string; reuse: AuditAction };

/**
 * A credential that a user gave a client, redeemed once, which starts a family. Of several redemptions one wins; the others revoke that
 * family, because one of the two may be an attacker's (RFC 6749 §4.1.2).
 */
export function redeemedOnce({ name, source, table, reuse }: Redeemed): GrantType {
  return {
    name,
    source,
    onBehalfOf: 'person',
    presented: {
      join: `left join lateral (select * from standing_${table} where digest = u.presented limit 1) ${source}
      on u.source = '${source}'`,
      columns: ['consumed_at'],
      changes: `${table} where digest = u.presented`,
    },
    lives: `${source}.ends_at > $2`,
    verdict: `case when ${source}_consumed_at is null then 'won' else 'used' end`,
    beginsFamily: true,
    writes: {
      [`${source}_consumed`]: `update ${table} c set consumed_at = $2
  from judged j where c.digest = j.presented and j.source = '${source}' and j.verdict = 'won'`,
    },
    recorded: {
      won: { action: 'access_token.issued' },
      used: { action: reuse, reason: 'the family was revoked' },
    },
  };
}
