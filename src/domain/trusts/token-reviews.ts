import { z } from 'zod';
import type { ServerKeys } from '../../platform/keys/index.ts';
import type { Asking } from '../../platform/outbound/index.ts';
import type { Assertion } from './assertion.ts';
import { secretOf } from './secret.ts';
import type { Trust } from './store.ts';

export type TokenReviewsDeps = { ask: Asking; keys: ServerKeys };

export type Review = { passed: boolean; detail: string };

const mostAtOnce = 32;
const mostAtOnceOfTrust = 8;

const Answer = z.looseObject({
  status: z.looseObject({
    authenticated: z.boolean().optional(),
    error: z.string().optional(),
    audiences: z.array(z.string()).optional(),
    user: z.looseObject({ username: z.string().optional() }).optional(),
  }),
});

const refused = (detail: string): Review => ({ passed: false, detail });

/**
 * Asks the API server of a cluster whether a token of a service account is still valid (TokenReview of `authentication.k8s.io/v1`): it is
 * not once the pod or the account is deleted. Anyone can send tokens, so a node sends few requests at once.
 */
export class TokenReviews {
  readonly #deps: TokenReviewsDeps;
  readonly #running = new Map<string, number>();

  constructor(deps: TokenReviewsDeps) {
    this.#deps = deps;
  }

  /** Never rejects for an error of the cluster: anything but a clear yes is a refusal, with the reason for administrators. */
  async ask(trust: Trust, assertion: Assertion, audience: string): Promise<Review> {
    const own = this.#running.get(trust.id) ?? 0;
    const all = [...this.#running.values()].reduce((sum, each) => sum + each, 0);
    if (own >= mostAtOnceOfTrust || all >= mostAtOnce)
      return refused('Too many tokens are being reviewed at this moment.');
    this.#running.set(trust.id, own + 1);
    try {
      return await this.#review(trust, assertion, audience);
    } finally {
      const left = (this.#running.get(trust.id) ?? 1) - 1;
      if (left > 0) this.#running.set(trust.id, left);
      else this.#running.delete(trust.id);
    }
  }

  async #review(trust: Trust, { text, payload }: Assertion, audience: string): Promise<Review> {
    if (!trust.token_review) return refused('The trust names no cluster.');
    const { url, ca } = trust.token_review;
    const reviewer = (await secretOf(this.#deps.keys, trust)) ?? text;
    const question = {
      ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' },
      spec: { token: text, audiences: [audience] },
    };
    const answer = await this.#deps
      .ask({
        url: `${url.replace(/\/+$/, '')}/apis/authentication.k8s.io/v1/tokenreviews`,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          authorization: `Bearer ${reviewer}`,
        },
        body: JSON.stringify(question),
        ...(ca !== undefined && { ca }),
      })
      .catch(() => undefined);
    // The message is the same for every network failure: otherwise it would reveal the internal network to authors of trusts.
    if (!answer)
      return refused('The cluster did not answer in time, from a public or a named address with a valid certificate.');
    return judgeAnswer(answer, { audience, subject: String(payload.sub) });
  }
}

function judgeAnswer(
  { status, body }: { status: number; body: Buffer },
  { audience, subject }: { audience: string; subject: string },
): Review {
  if (status === 401 || status === 403)
    return refused(`The cluster answered ${status}: the reviewer may not review tokens (system:auth-delegator).`);
  if (status !== 200 && status !== 201) return refused(`The cluster answered ${status}.`);
  const parsed = Answer.safeParse(jsonIn(body));
  if (!parsed.success) return refused('The answer of the cluster is not a TokenReview.');
  const { authenticated, user, audiences = [] } = parsed.data.status;
  if (authenticated !== true) return refused('The cluster does not accept the token: its pod may have been deleted.');
  // Servers that do not support audiences leave them out: the token may be for another server (KEP-460).
  if (!audiences.includes(audience)) return refused('The cluster does not say that the token is for this audience.');
  if (user?.username !== subject) return refused('The cluster says that the token belongs to another account.');
  return { passed: true, detail: 'The cluster accepts the token.' };
}

function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
