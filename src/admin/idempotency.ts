import { hkdfSync } from 'node:crypto';
import type { Context } from 'koa';
import { digest, seal, unseal } from '../platform/crypto/index.ts';
import { type Db, joined } from '../platform/database/index.ts';
import { type Answer, type Call, invalid, Problem } from '../platform/http/index.ts';
import { keepAnswer, lockKey } from './store.ts';

const keptHours = 24;
const shape = /^[\u0021-\u007e]{8,255}$/;

/**
 * What was sent with an `Idempotency-Key` happens once: sent again with the same body within 24 hours, it is answered as the
 * first time. The deed and the answer commit together, so that a crash leaves both or neither; what was refused is not kept.
 *
 * @throws Problem 422: the key came with another request before; 400: it is malformed
 */
export function once({ db, now }: { db: Db; now: () => Date }) {
  return async (ctx: Context, { actor, body }: Call, work: () => Promise<Answer>): Promise<Answer> => {
    const key = ctx.get('Idempotency-Key');
    if (key === '') return work();
    if (!shape.test(key)) throw invalid('', 'Idempotency-Key: send 8 to 255 printable characters, a UUID for example.');
    const who = digest(JSON.stringify([actor.kind, actor.id, ctx.method, ctx.path, key]));
    const what = digest(JSON.stringify([ctx.querystring, body ?? null]));
    const place = ['idempotency_keys', 'sealed', who.toString('hex')] as const;
    const sealing = Buffer.from(hkdfSync('sha256', key, who, 'latchkey idempotency', 32));
    return db.transaction().execute(async (trx) => {
      const created_at = now();
      const kept = await lockKey(trx, who, created_at);
      if (kept && !kept.request_digest.equals(what)) throw usedForAnother();
      if (kept) {
        ctx.set('Idempotent-Replayed', 'true');
        return JSON.parse(unseal(sealing, place, kept.sealed).toString());
      }
      const answer = await joined(trx, work);
      const sealed = seal(sealing, place, JSON.stringify(answer));
      const expires_at = new Date(created_at.getTime() + keptHours * 3_600_000);
      await keepAnswer(trx, { digest: who, request_digest: what, sealed, created_at, expires_at });
      return answer;
    });
  };
}

function usedForAnother(): Problem {
  return new Problem(422, 'idempotency_key_reused', {
    title: 'Key of another request',
    detail: 'This Idempotency-Key was sent with another body before. Make a new key for a new request.',
  });
}
