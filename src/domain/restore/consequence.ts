import type { Trx } from '../../platform/database/index.ts';
import { type Actor, Problem } from '../../platform/http/index.ts';
import type { ApiKeyDeps } from '../api-keys/index.ts';
import type { ClientDeps } from '../clients/index.ts';
import type { WebhookDeps } from '../notifications/index.ts';
import type { SessionDeps } from '../sessions/index.ts';
import type { LaterEvent } from './later-event.ts';

export type ReapplyDeps = ClientDeps & SessionDeps & WebhookDeps & ApiKeyDeps;

/** How to repeat a revocation. Resolves to whether there was something to revoke. */
export type Ending =
  /** By a verb, which records its own event; it works in the transaction of the `deps`. */
  | { kind: 'verb'; end: (deps: ReapplyDeps, actor: Actor) => Promise<unknown> }
  /** By a write that has no event of its own. */
  | { kind: 'write'; end: (trx: Trx, now: Date) => Promise<unknown> }
  /** A family of refresh tokens; there may be thousands. */
  | { kind: 'family'; family_id: string };

/** The consequence of an event that the restored database lacks. */
export type Consequence = {
  /** The revocation to repeat. `says`: its description. */
  ending?: Ending & { says: string };
  /** What an administrator should decide or do. */
  advice?: string;
};

/** The consequence of events of an action. */
export type Rule = (event: LaterEvent) => Consequence;

/** By a verb of the module that owns it. */
export const verb = (
  says: string,
  end: (deps: ReapplyDeps, actor: Actor) => Promise<unknown>,
  advice?: string,
): Consequence => ({
  ending: { kind: 'verb', says, end },
  ...(advice !== undefined && { advice }),
});
/** By a write. */
export const write = (says: string, end: (trx: Trx, now: Date) => Promise<unknown>, advice?: string): Consequence => ({
  ending: { kind: 'write', says, end },
  ...(advice !== undefined && { advice }),
});
/** The family of a refresh token. */
export const endingFamily = (family_id: string): Consequence => ({
  ending: {
    kind: 'family',
    says: 'refresh tokens revoked: the restored ones are older than those that clients hold',
    family_id,
  },
});
/** Nothing is repeated: an administrator decides. */
export const decide =
  (advice: string): Rule =>
  () => ({ advice });
/** The event has no consequence. */
export const nothing: Rule = () => ({});

/** Undefined if there is nothing to revoke: the backup does not contain it. */
export async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined;
    throw error;
  }
}
