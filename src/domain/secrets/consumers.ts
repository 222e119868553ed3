import { type ActorsOfVersions, actorsOfVersions } from '../audit/index.ts';
import { dayMs } from '../credentials/index.ts';
import type { SecretsDeps } from './deps.ts';
import { mustAllow, type SecretCaller } from './rights.ts';

/** How far back to search, and for which version. */
export type ConsumersRequest = { path: string; days: number; version?: number | undefined };

/**
 * The readers of a secret in the last days, for each version: as recorded in the audit log before the values were sent.
 *
 * @throws Problem `forbidden`
 */
export async function listConsumers(
  deps: SecretsDeps,
  caller: SecretCaller,
  { path, days, version }: ConsumersRequest,
): Promise<ActorsOfVersions> {
  await mustAllow(deps, caller, { verb: 'list', path });
  const now = deps.now();
  const from = new Date(now.getTime() - days * dayMs);
  const target = { kind: 'secret', id: path };
  return actorsOfVersions(deps.db, { action: 'secret.read', target, from, now, version });
}
