import { type Sealed, type SealedPlace, seal, unseal } from '../../../platform/crypto/index.ts';
import type { ServerKeys } from '../../../platform/keys/index.ts';

/** Dependencies for sealed state that a browser keeps between two steps; it is bound to a purpose, the browser and an expiry. */
export type CarryDeps = { keys: ServerKeys; now: () => Date };

type Carried = { until: number; state: unknown };

/** @param browser a value that only this browser knows: its CSRF token */
export function carry(
  { keys, now }: CarryDeps,
  { purpose, browser, seconds }: { purpose: string; browser: string; seconds: number },
  state: unknown,
): string {
  const carried: Carried = { until: now().getTime() + seconds * 1000, state };
  return seal(keys.current('sign-in').key, placeOf(purpose, browser), JSON.stringify(carried)).toString('base64url');
}

/** The state that this browser got for this purpose; undefined: it was altered, belongs to another browser, or has expired. */
export function carriedState(
  { keys, now }: CarryDeps,
  { purpose, browser }: { purpose: string; browser: string },
  text: string,
): unknown {
  for (const { key } of keys.all('sign-in')) {
    try {
      const opened = unseal(key, placeOf(purpose, browser), Buffer.from(text, 'base64url') as Sealed);
      const { until, state } = JSON.parse(opened.toString()) as Carried;
      return until > now().getTime() ? state : undefined;
    } catch {
      // Sealed with an earlier key, or not by this server: the next key is tried.
    }
  }
  return undefined;
}

const placeOf = (purpose: string, browser: string): SealedPlace => ['browser', purpose, browser];
