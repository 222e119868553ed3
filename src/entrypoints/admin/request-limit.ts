import type { Context } from 'koa';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { tooMany } from '../../platform/http/index.ts';

const requests = 1200;
const seconds = 60;

/**
 * Limits the requests of a caller to a node, and returns what is left (RateLimit fields, draft-ietf-httpapi-ratelimit-headers). In memory:
 * it protects the node, and no decision depends on it.
 *
 * @throws Problem 429
 */
export function requestLimit() {
  const limiter = new RateLimiterMemory({ points: requests, duration: seconds });
  return async (ctx: Context, caller: string): Promise<void> => {
    const state = await limiter.consume(caller).catch((refusal: unknown) => {
      if (refusal instanceof RateLimiterRes) return refusal;
      throw refusal;
    });
    const reset = Math.ceil(state.msBeforeNext / 1000);
    ctx.set('RateLimit-Policy', `"caller";q=${requests};w=${seconds}`);
    ctx.set('RateLimit', `"caller";r=${Math.max(0, state.remainingPoints)};t=${reset}`);
    if (state.consumedPoints > requests) throw tooMany('You sent too many requests. Wait a moment.', reset);
  };
}
