import type { GrantType } from './grant-type.ts';

const maxReplays = 60;

/**
 * Refresh tokens (RFC 6749 §6), rotated on each use. One row is a whole family: its current token, and the one before. A retry within
 * the grace window is answered with the same successor; any other use of an older token revokes the family (RFC 9700 §4.14.2).
 */
export const refreshToken: GrantType = {
  name: 'refresh_token',
  source: 'refresh_token',
  onBehalfOf: 'person',
  presented: {
    join: `left join lateral (select * from standing_refresh_families where id = u.family_id limit 1) refresh_token
      on u.source = 'refresh_token'`,
    columns: ['digest', 'previous_digest', 'rotated_at', 'grace_uses'],
    changes: 'refresh_families where id = u.family_id and revoked_at is null',
  },
  lives: `refresh_token.ends_at > $2 and refresh_token.absolute_expires_at > $2`,
  verdict: `case when presented = refresh_token_digest then 'won'
      when presented = refresh_token_previous_digest and successor = refresh_token_digest
        and refresh_token_rotated_at + grace_seconds * interval '1 second' >= $2
        then case when refresh_token_grace_uses < ${maxReplays} then 'grace' else 'exhausted' end
      else 'reuse' end`,
  writes: {
    rotated: `update refresh_families f set previous_digest = f.digest, previous_key_id = f.key_id, digest = j.successor,
    key_id = j.next_key_id, generation = f.generation + 1, rotated_at = $2, grace_uses = 0, expires_at = j.refresh_expires_at
  from judged j where f.id = j.family_id and j.verdict = 'won' and j.source = 'refresh_token'`,
    replayed: `update refresh_families f set grace_uses = f.grace_uses + 1
  from judged j where f.id = j.family_id and j.verdict = 'grace'`,
  },
  recorded: {
    won: { action: 'refresh_token.rotated' },
    grace: { action: 'refresh_token.replayed' },
    reuse: { action: 'refresh_token.reuse', reason: 'the family was revoked' },
    exhausted: { action: 'refresh_token.replay_refused', reason: 'too many replays within the grace window' },
  },
};
