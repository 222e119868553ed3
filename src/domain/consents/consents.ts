import { v7 as uuidv7 } from 'uuid';
import type { ConsentedScopes } from '../../../db/schema.ts';
import { type Db, inTransaction, type Trx } from '../../platform/database/index.ts';
import { type Actor, notFound } from '../../platform/http/index.ts';
import { allows } from '../access/index.ts';
import { appendEvent } from '../audit/index.ts';
import { recordDecidedClient } from '../clients/index.ts';
import {
  type Consent,
  countUnderConsent,
  type Ending,
  insertConsent,
  lockConsent,
  lockStandingConsent,
  markRevoked,
  revokeGrants,
  updateConsentScopes,
} from './store.ts';

export type ConsentDeps = { db: Db; now: () => Date };

type Answer = {
  user_id: string;
  client: { id: string; client_id: string };
  /** The scopes that the page asked for. */
  asked: ConsentedScopes;
  /** The scopes that the user left ticked. */
  allowed: ConsentedScopes;
};

/** Records what a user allows: scopes that were asked for and unticked are no longer allowed, others stay. */
export async function allowClient(
  { db, now }: ConsentDeps,
  actor: Actor,
  { user_id, client, asked, allowed }: Answer,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const occurred_at = now();
    // Before the consent, which locks the row of the client: storing documents locks in this order.
    await recordDecidedClient(trx, actor, { client_id: client.client_id, occurred_at });
    await insertConsent(trx, {
      id: uuidv7(),
      user_id,
      client_id: client.id,
      scopes: { openid: [], resources: {} },
      created_at: occurred_at,
    });
    const consent = await lockStandingConsent(trx, user_id, client.id);
    if (!consent) throw new Error('the consent was revoked during the request');
    await updateConsentScopes(trx, consent.id, answered(consent.scopes, asked, allowed), occurred_at);
    await appendEvent(trx, {
      actor,
      action: 'consent.given',
      target: { kind: 'client', id: client.client_id },
      details: { consent_id: consent.id, allowed },
      occurred_at,
    });
  });
}

/** The scopes after an answer. */
function answered(before: ConsentedScopes, asked: ConsentedScopes, allowed: ConsentedScopes): ConsentedScopes {
  const merge = (old: string[] = [], question: string[] = [], yes: string[] = []) => [
    ...new Set([...old.filter((scope) => !question.includes(scope)), ...yes]),
  ];
  const identifiers = [...new Set([...Object.keys(before.resources), ...Object.keys(allowed.resources)])];
  const resources = identifiers.map((id) => [
    id,
    merge(before.resources[id], asked.resources[id], allowed.resources[id]),
  ]);
  return { openid: merge(before.openid, asked.openid, allowed.openid), resources: Object.fromEntries(resources) };
}

/** Records that a user denied a consent request. */
export async function denyClient({ db, now }: ConsentDeps, actor: Actor, client_id: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    const occurred_at = now();
    await recordDecidedClient(trx, actor, { client_id, occurred_at });
    const target = { kind: 'client', id: client_id };
    await appendEvent(trx, { actor, action: 'consent.denied', target, outcome: 'failure', occurred_at });
  });
}

/**
 * Revokes a consent: every code and token issued under it is refused from the next request on; a rotation in flight loses.
 * Repeating it changes and records nothing.
 *
 * @throws Problem `not_found`: no such consent, or none that this actor may revoke
 */
export async function revokeConsent({ db, now }: ConsentDeps, actor: Actor, consent_id: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    const consent = await lockConsent(trx, consent_id);
    if (!consent || !mayRevokeConsent(actor, consent)) throw notFound('connected app', consent_id);
    if (consent.revoked_at) return;
    const revoked_at = now();
    await markRevoked(trx, consent_id, revoked_at);
    const grants = await revokeGrants(trx, { consent_id }, { revoked_at, revoked_for: 'consent revoked' });
    await appendEvent(trx, {
      actor,
      action: 'consent.revoked',
      // The target is the user who gave the consent, also if an administrator revokes it.
      target: { kind: 'user', id: consent.user_id },
      details: { consent_id, client_id: consent.client, grants: grants.length },
      occurred_at: revoked_at,
    });
  });
}

/** Users may revoke their own consents; anyone else needs the permission. */
function mayRevokeConsent(actor: Actor, { user_id }: Pick<Consent, 'user_id'>): boolean {
  return (actor.kind === 'user' && actor.id === user_id) || allows(actor.permissions, 'latchkey:consent:revoke');
}

/** Counts what revoking a consent would revoke now. */
export async function impactOfConsent({ db, now }: ConsentDeps, consent_id: string): Promise<Ending> {
  return countUnderConsent(db, consent_id, now());
}

/**
 * Revokes one grant, and every code and token issued under it.
 *
 * @throws Problem `not_found`: no such grant, or it is revoked already
 */
export async function revokeGrant({ db, now }: ConsentDeps, actor: Actor, id: string): Promise<void> {
  await inTransaction(db, async (trx) => {
    const revoked_at = now();
    const ended = await revokeGrants(trx, { id }, { revoked_at, revoked_for: 'revoked' });
    if (ended.length === 0) throw notFound('standing grant', id);
    await appendEvent(trx, { actor, action: 'grant.revoked', target: { kind: 'grant', id }, occurred_at: revoked_at });
  });
}

/** Revokes the grants of a user, except those of one session, in the transaction of the caller. */
export async function revokeGrantsOf(
  trx: Trx,
  {
    user_id,
    exceptSession,
    revoked_for,
    revoked_at,
  }: { user_id: string; exceptSession?: string | undefined; revoked_for: string; revoked_at: Date },
): Promise<number> {
  const ended = await revokeGrants(trx, { user_id, exceptSession }, { revoked_at, revoked_for });
  return ended.length;
}
