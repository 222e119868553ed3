import { createHash } from 'node:crypto';
import type { Identity } from './identity.ts';

/** A request to `POST /gateway/verify`. */
export type Asked = Record<string, unknown> & ({ key: string } | { token: string });

/** Its response (docs/gateway.md). */
export type Verdict = Partial<Omit<Identity, 'expires_at'>> & {
  valid: boolean;
  code: string;
  reason: string;
  limits: unknown[];
  missing?: string[];
  expires_at?: string | null;
  retry_after_seconds?: number;
};

export type RemoteOptions = { issuer: string; key: string; cacheMs: number; now: () => number };

const timeoutMs = 3000;
const mostKept = 10_000;

/**
 * Asks the gateway, and caches its responses for a moment: the time for which a revoked credential may be accepted here. Requests that
 * limits count, or that the sender proves, are sent each time.
 */
export class RemoteVerdicts {
  readonly #options: RemoteOptions;
  readonly #kept = new Map<string, { verdict: Verdict; until: number }>();

  constructor(options: RemoteOptions) {
    this.#options = options;
  }

  /** @throws the gateway cannot be reached, or does not answer this service */
  async verdict(asked: Asked): Promise<Verdict> {
    const { cacheMs, now } = this.#options;
    if (cacheMs === 0 || asked.proof !== undefined) return this.#ask(asked);
    // Digests: a dump of this process contains no more credentials than necessary.
    const id = createHash('sha256').update(JSON.stringify(asked)).digest('base64');
    const kept = this.#kept.get(id);
    if (kept && now() < kept.until) return kept.verdict;
    const verdict = await this.#ask(asked);
    if (verdict.limits.length > 0 || verdict.retry_after_seconds !== undefined) return verdict;
    if (this.#kept.size >= mostKept) this.#dropOldest();
    this.#kept.delete(id);
    this.#kept.set(id, { verdict, until: now() + cacheMs });
    return verdict;
  }

  #dropOldest(): void {
    for (const id of this.#kept.keys()) {
      this.#kept.delete(id);
      if (this.#kept.size < mostKept * 0.9) return;
    }
  }

  async #ask(asked: Asked): Promise<Verdict> {
    const { issuer, key } = this.#options;
    const response = await fetch(`${issuer}/gateway/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key },
      body: JSON.stringify(asked),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.ok) return (await response.json()) as Verdict;
    const { detail = '' } = (await response.json().catch(() => ({}))) as { detail?: string };
    throw new Error(`the gateway answered ${response.status}: ${detail}`);
  }
}
