import type { Grant, KoaContextWithOIDC } from 'oidc-provider';
import type { ConsentedScopes } from '../../../../db/schema.ts';
import { type Consent, findStandingConsent } from '../../../domain/consents/index.ts';
import { scopesOfClaims } from '../provider/claims.ts';
import { outlivesSession } from '../provider/policies.ts';
import { intersection, isSubset, union } from '../scopes/consented-scopes.ts';
import { identityScopes } from '../scopes/requested-scopes.ts';
import { type ClientRecord, findClientRecord, type StoreDeps, type TrustDeps, trustedScopes } from '../store/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';

/** What the consent page passes to the resumed request: scopes that the user left unticked, stored on the grant only. */
export type ConsentResult = { rejected: ConsentedScopes };

/**
 * `loadExistingGrant`: the session's grant for this client, created or extended from what the user allowed and what a first-party client
 * has without consent. If something is missing, oidc-provider asks for consent.
 */
export function consentedGrant(deps: StoreDeps & TrustDeps) {
  return async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { client, session, account, provider } = ctx.oidc;
    if (!client || !session || !account) return undefined;
    const record = await findClientRecord(deps, client.clientId);
    if (!record) return undefined;
    const answer = ctx.oidc.result?.consent as Partial<ConsentResult> | undefined;
    const current = oncePerRequest(() => findCurrentConsent(deps, account.accountId, record));
    const standing = await standingGrant(ctx, record, current);
    const requested = requestedScopes(ctx);
    const claims = requestedClaims(ctx);
    if (standing && !answer && coversAll(standing, requested) && coversClaims(standing, claims)) return standing;

    const asked = standing ? union(requested, granted(standing)) : requested;
    const trusted = await trustedScopes(deps, record, asked);
    const consent = isSubset(asked, trusted) ? undefined : await current();
    if (!record.first_party && !consent) return standing;
    const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
    if (standing) grant.jti = standing.jti;
    add(grant, intersection(consent ? union(trusted, consent.scopes) : trusted, asked));
    const consented = record.first_party ? undefined : consent?.scopes;
    grant.addOIDCClaims(allowedClaims([...claims, ...(standing?.getOIDCClaims() ?? [])], consented));
    if (answer?.rejected) reject(grant, answer.rejected);
    currentUnit().grantOrigin = {
      consent_id: consent?.id ?? null,
      session_uid: session.uid,
      offline: outlivesSession(client, record),
      consented: record.first_party ? consent?.scopes : undefined,
    };
    await grant.save();
    return grant;
  };
}

type CurrentConsent = () => Promise<Consent | undefined>;

function oncePerRequest(find: CurrentConsent): CurrentConsent {
  let found: ReturnType<CurrentConsent> | undefined;
  return () => {
    found ??= find();
    return found;
  };
}

async function standingGrant(
  { oidc }: KoaContextWithOIDC,
  record: ClientRecord,
  current: CurrentConsent,
): Promise<Grant | undefined> {
  const { client, session, provider, account } = oidc;
  const id = client && session?.grantIdFor(client.clientId);
  const grant = id ? await provider.Grant.find(id) : undefined;
  if (!grant || !account || grant.accountId !== account.accountId) return undefined;
  const isOld = record.document?.widened_at && !(await current());
  return isOld ? undefined : grant;
}

/**
 * What the user allows a client now. If the document of a client has other redirect URIs since, the user is asked again: the consent was
 * for the earlier ones.
 */
async function findCurrentConsent(
  { db, now }: Pick<StoreDeps, 'db' | 'now'>,
  user_id: string,
  { id, document }: ClientRecord,
): Promise<Consent | undefined> {
  const consent = await findStandingConsent(db, user_id, id, now());
  const widened_at = document?.widened_at;
  return consent && widened_at && consent.updated_at < new Date(widened_at) ? undefined : consent;
}

/** What this request asks for, per resource server. */
function requestedScopes({ oidc }: KoaContextWithOIDC): ConsentedScopes {
  const asked = [...oidc.requestParamScopes];
  const resources = Object.entries(oidc.resourceServers ?? {}).map(([identifier, { scopes }]) => [
    identifier,
    asked.filter((scope) => scopes.has(scope)),
  ]);
  return { openid: asked.filter((scope) => identityScopes.includes(scope)), resources: Object.fromEntries(resources) };
}

/** The claims this request names individually (OpenID Connect Core §5.5); those about the sign-in need no consent. */
function requestedClaims({ oidc }: KoaContextWithOIDC): string[] {
  return [...oidc.requestParamClaims].filter((claim) => scopesOfClaims([claim]).length > 0);
}

function coversClaims(grant: Grant, claims: readonly string[]): boolean {
  const known = new Set(grant.getOIDCClaimsEncountered());
  return claims.every((claim) => known.has(claim));
}

/** A claim is allowed with its scope, which the consent page describes; it needs no separate consent. */
function allowedClaims(claims: readonly string[], consent: ConsentedScopes | undefined): string[] {
  const isAllowed = (claim: string) =>
    scopesOfClaims([claim]).every((scope) => consent?.openid.includes(scope) ?? true);
  return [...new Set(claims)].filter(isAllowed);
}

function coversAll(grant: Grant, requested: ConsentedScopes): boolean {
  const openid = new Set(grant.getOIDCScopeEncountered().split(' '));
  const hasResources = Object.entries(requested.resources).every(([identifier, scopes]) => {
    const known = new Set(grant.getResourceScopeEncountered(identifier).split(' '));
    return scopes.every((scope) => known.has(scope));
  });
  return hasResources && requested.openid.every((scope) => openid.has(scope));
}

function granted(grant: Grant): ConsentedScopes {
  const resources = Object.keys(grant.resources ?? {}).map((identifier) => [
    identifier,
    grant.getResourceScope(identifier).split(' '),
  ]);
  return { openid: grant.getOIDCScope().split(' '), resources: Object.fromEntries(resources) };
}

function add(grant: Grant, scopes: ConsentedScopes): void {
  if (scopes.openid.length > 0) grant.addOIDCScope(scopes.openid.join(' '));
  for (const [identifier, list] of Object.entries(scopes.resources)) {
    if (list.length > 0) grant.addResourceScope(identifier, list.join(' '));
  }
}

function reject(grant: Grant, scopes: ConsentedScopes): void {
  if (scopes.openid.length > 0) grant.rejectOIDCScope(scopes.openid.join(' '));
  for (const [identifier, list] of Object.entries(scopes.resources)) {
    if (list.length > 0) grant.rejectResourceScope(identifier, list.join(' '));
  }
}
