import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { Context } from 'koa';
import { type Digest, digest, keyedDigest, seal, unseal } from '../../platform/crypto/index.ts';
import { type Db, inTransaction } from '../../platform/database/index.ts';
import { type Answer, type Call, invalid, type Limit, Problem } from '../../platform/http/index.ts';
import type { ServerKey, ServerKeys } from '../../platform/keys/index.ts';
import { type KeptAnswer, keepAnswer, lockKey } from './store.ts';

const keptHours = 24;
const shape = /^[\u0021-\u007e]{8,255}$/;

/** The identity of a request: caller, route, content and key; `formerContent`: as the previous version compared it. */
type Presented = { key: string; who: Digest; content: string; formerContent: string };
/** The keys that seal the response, and digest its request. */
type AnswerKeys = { sealing: KeyObject; digestOf: (content: string) => Digest };

/**
 * A request with an `Idempotency-Key` is executed once: sent again with the same body within 24 hours, it gets the first response. The
 * change and the response commit together, so that a crash leaves both or neither; refusals are not stored.
 *
 * @throws Problem 422: the key was used with another request before; 400: it is malformed
 */
export function once<Deps extends { db: Db; keys: ServerKeys; now: () => Date }>(deps: Deps) {
  const { db, keys, now } = deps;
  return async (ctx: Context, { actor, body }: Call, work: (deps: Deps) => Promise<Answer>): Promise<Answer> => {
    const key = ctx.get('Idempotency-Key');
    if (key === '') return work(deps);
    if (!shape.test(key)) throw invalid('', 'Idempotency-Key: send 8 to 255 printable characters, a UUID for example.');
    // The key of the row. It only reveals that such a key was sent, and also finds rows of nodes of the previous version.
    const who = digest(JSON.stringify([actor.kind, actor.id, ctx.method, ctx.path, key]));
    const sent = [ctx.querystring, body ?? null];
    const content = JSON.stringify([...sent, actingRights(actor)]);
    const presented = { key, who, content, formerContent: JSON.stringify(sent) };
    return inTransaction(db, async (trx) => {
      const created_at = now();
      const kept = await lockKey(trx, who, created_at);
      if (kept) {
        const answer = await keptAnswer(keys, kept, presented);
        ctx.set('Idempotent-Replayed', 'true');
        return answer;
      }
      const answer = await work({ ...deps, db: trx });
      const expires_at = new Date(created_at.getTime() + keptHours * 3_600_000);
      await keepAnswer(trx, { digest: who, ...sealedAnswer(keys, presented, answer), created_at, expires_at });
      return answer;
    });
  };
}

/** A response depends on the permissions at that time: another token of the same caller, or a removed role, makes it another request. */
function actingRights({ permissions, limits = [] }: Call['actor']): unknown {
  return [permissions.toSorted(), limits.map(narrowing)];
}

/** Written as in the previous version if it had all members, so that its responses are found. */
function narrowing({ rights, until, restrictions }: Limit): unknown {
  const patterns = rights.map(({ resource, pattern }) => `${pattern} ${resource}`).toSorted();
  const isPlain = until === null && Object.keys(restrictions).length === 0;
  return isPlain ? patterns : { patterns, until, restrictions };
}

function sealedAnswer(keys: ServerKeys, presented: Presented, answer: Answer): KeptAnswer {
  const serverKey = keys.current('idempotency');
  const { sealing, digestOf } = answerKeys(serverKey, presented);
  const sealed = seal(sealing, placeOf(presented), JSON.stringify(answer));
  return { request_digest: digestOf(presented.content), sealed, key_id: serverKey.id };
}

async function keptAnswer(keys: ServerKeys, kept: KeptAnswer, presented: Presented): Promise<Answer> {
  const { sealing, digestOf } = await keysOf(keys, kept, presented);
  const content = kept.key_id === null ? presented.formerContent : presented.content;
  if (!kept.request_digest.equals(digestOf(content))) throw usedForAnother();
  return JSON.parse(unseal(sealing, placeOf(presented), kept.sealed).toString());
}

/** A row of the previous version names no server key; a day after the last such node stopped there is none. */
async function keysOf(keys: ServerKeys, { key_id }: KeptAnswer, presented: Presented): Promise<AnswerKeys> {
  if (key_id === null) {
    const sealing = hkdfSync('sha256', presented.key, presented.who, 'latchkey idempotency', 32);
    return { sealing: createSecretKey(Buffer.from(sealing)), digestOf: digest };
  }
  return answerKeys(await keys.named(key_id), presented);
}

/**
 * Callers choose keys such as `deploy-key-0417`, and bodies contain passwords: neither may be guessed from a copy of the database. So both
 * include a server key, which such a copy does not contain.
 */
function answerKeys({ key: serverKey }: ServerKey, { key, who }: Presented): AnswerKeys {
  const secret = Buffer.concat([serverKey.export(), Buffer.from(key)]);
  const derived = Buffer.from(hkdfSync('sha256', secret, who, 'latchkey idempotency 2', 64));
  const comparing = createSecretKey(derived.subarray(32));
  return { sealing: createSecretKey(derived.subarray(0, 32)), digestOf: (content) => keyedDigest(comparing, content) };
}

function placeOf({ who }: Presented) {
  return ['idempotency_keys', 'sealed', who.toString('hex')] as const;
}

function usedForAnother(): Problem {
  return new Problem(422, 'idempotency_key_reused', {
    title: 'Key of another request',
    detail: 'This Idempotency-Key was used with another request body. Use a new key for a new request.',
  });
}
