import { isDeepStrictEqual } from 'node:util';
import { type Actor, conflict } from '../../platform/http/index.ts';
import type { WebhookInput } from './schemas.ts';
import { listEveryWebhook } from './store.ts';
import { asInput, changeWebhook, createWebhook, type WebhookDeps } from './webhooks.ts';

export type PutWebhook = { change: 'created' | 'updated' | 'unchanged'; secret?: string };

/**
 * Registers a receiver, or updates the one with this URL to equal the input.
 *
 * @returns the signing secret of a new receiver; shown once
 * @throws Problem `conflict`: several receivers have this URL; otherwise as `createWebhook`, `changeWebhook`
 */
export async function putWebhook(deps: WebhookDeps, actor: Actor, input: WebhookInput): Promise<PutWebhook> {
  const [existing, another] = (await listEveryWebhook(deps.db)).filter(({ url }) => url === input.url);
  if (another) throw conflict(`Several webhooks have the URL ${input.url}: delete all but one.`);
  if (!existing) return { change: 'created', secret: (await createWebhook(deps, actor, input)).secret };
  const wanted: Record<string, unknown> = { ...input, description: input.description ?? null };
  const before: Record<string, unknown> = { description: null, ...asInput(existing) };
  const differing = Object.keys(wanted).filter((member) => !isDeepStrictEqual(before[member], wanted[member]));
  if (differing.length === 0) return { change: 'unchanged' };
  const patch = Object.fromEntries(differing.map((member) => [member, wanted[member]]));
  await changeWebhook(deps, actor, { id: existing.id, patch, ifVersion: undefined });
  return { change: 'updated' };
}
