import type { Context } from 'koa';
import { one } from '../signed-in.ts';

const ofInteraction = /^\/interaction\/([\w-]{1,64})(?:\/|$)/;

/** The request of an app that a sign-in page belongs to. */
export function interactionOf(signInAction: string): string | undefined {
  return ofInteraction.exec(signInAction)?.[1];
}

/** The request of an app that the user came from, and can return to. */
export function interactionAsked(ctx: Context): string | undefined {
  const named = one(ctx.query.interaction);
  return /^[\w-]{1,64}$/.test(named) ? named : undefined;
}

/** A page that can be part of an app's request. */
export function pathOfInteraction(path: string, interaction: string | undefined): string {
  return interaction ? `${path}?interaction=${interaction}` : path;
}
