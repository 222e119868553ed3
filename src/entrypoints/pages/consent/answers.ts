import type { Context } from 'koa';
import { denyClient } from '../../../domain/consents/index.ts';
import { person, requestOrigin } from '../../../platform/http/index.ts';
import { finishRefused, finishUnmet, type PendingInteraction } from '../../oauth/index.ts';
import type { PagesDeps } from '../pages.ts';

/** The name that users see of the app that waits for them. */
export function nameOf({ client }: PendingInteraction): string {
  return typeof client.metadata.client_name === 'string' ? client.metadata.client_name : client.client_id;
}

/** Resumes a request that the user declined. */
export async function refuse(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  const { user_id, client, prompt, demand } = interaction;
  if (user_id) await denyClient(deps, person(user_id, requestOrigin(ctx)), client.client_id);
  const finish = prompt !== 'consent' && isMore(demand) ? finishUnmet : finishRefused;
  goOn(ctx, await finish(deps.provider().current(), ctx));
}

const isMore = ({ required_acr, allowed_factors }: PendingInteraction['demand']) =>
  required_acr !== undefined || allowed_factors !== null;

/** Redirects the browser to the request that waits. */
export function goOn(ctx: Context, url: string): void {
  ctx.status = 303;
  ctx.redirect(url);
}
