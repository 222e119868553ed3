import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import type { Interaction } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { ConsentedScopes } from '../../../../db/schema.ts';
import { assuranceOf, type Demand } from '../../../domain/assurance/index.ts';
import type { ProviderSession } from '../../../domain/identity-providers/index.ts';
import { findResourceServer } from '../../../domain/resource-servers/index.ts';
import { mustSendCookies, Problem } from '../../../platform/http/index.ts';
import { scopesOfClaims } from '../provider/claims.ts';
import { identityScopes } from '../scopes/requested-scopes.ts';
import { offered } from '../scopes/scopes-of-resource.ts';
import { type ClientDeps, type ClientRecord, findClientRecord, type StoreDeps } from '../store/index.ts';
import { demandOfPrompt } from './assurance.ts';

/** A request that waits for the user. */
export type PendingInteraction = {
  uid: string;
  prompt: 'select_account' | 'create' | 'login' | 'consent';
  client: ClientRecord;
  /** undefined: a device waits for the answer (RFC 8628). */
  redirect_uri: string | undefined;
  login_hint: string | undefined;
  /** Languages that the client asks for, the most wanted first, separated by spaces. */
  ui_locales: string | undefined;
  /** The signed-in user, if any. */
  user_id: string | undefined;
  /** How the user must be authenticated. */
  demand: Demand;
  /** At consent: what is not yet allowed; everything requested when the client requires a new consent. */
  asked: ConsentedScopes;
};

/**
 * The interaction of this browser.
 *
 * @throws Problem 400: the browser sends no cookies; it expired, was finished, or belongs to another browser
 */
export async function pendingInteraction(
  provider: Provider,
  deps: ClientDeps & Pick<StoreDeps, 'db'>,
  ctx: Context,
): Promise<PendingInteraction> {
  mustSendCookies(ctx, 400);
  const details = await provider.interactionDetails(ctx.req, ctx.res).catch(refuseUnknown);
  const client = await findClientRecord(deps, String(details.params.client_id));
  if (details.uid !== ctx.params.uid || !client) throw unknownInteraction();
  const { prompt, params, session } = details;
  return {
    uid: details.uid,
    prompt: promptNamed(prompt.name),
    client,
    redirect_uri: typeof params.redirect_uri === 'string' ? params.redirect_uri : undefined,
    login_hint: typeof params.login_hint === 'string' ? params.login_hint.slice(0, 254) : undefined,
    ui_locales: typeof params.ui_locales === 'string' ? params.ui_locales : undefined,
    user_id: session?.accountId,
    demand: demandOfPrompt(prompt.details),
    asked: await askedOf(deps, client, details),
  };
}

function promptNamed(name: string): PendingInteraction['prompt'] {
  return name === 'consent' || name === 'select_account' || name === 'create' ? name : 'login';
}

async function askedOf(
  deps: Pick<StoreDeps, 'db'>,
  client: ClientRecord,
  { prompt, params }: Pick<Interaction, 'prompt' | 'params'>,
): Promise<ConsentedScopes> {
  if (prompt.name !== 'consent') return { openid: [], resources: {} };
  const missing = prompt.details as {
    missingOIDCScope?: string[];
    missingOIDCClaims?: string[];
    missingResourceScopes?: Record<string, string[]>;
  };
  const { missingOIDCScope: scopes = [], missingOIDCClaims: claims = [], missingResourceScopes: resources } = missing;
  // A claim that is requested by name is described by its scope.
  const openid = [...new Set([...scopes, ...scopesOfClaims(claims)])];
  if (openid.length === 0 && !resources)
    return askedAgain(
      deps,
      client,
      [...String(params.scope ?? '').split(' '), ...scopesOfClaimsParameter(params.claims)],
      params.resource,
    );
  return { openid, resources: resources ?? {} };
}

/** The scopes of the `claims` parameter, as it was accepted (claims-parameter.ts). */
function scopesOfClaimsParameter(claims: unknown): string[] {
  if (typeof claims !== 'string') return [];
  const places = JSON.parse(claims) as { id_token?: object; userinfo?: object };
  return scopesOfClaims([places.id_token, places.userinfo].flatMap((members) => Object.keys(members ?? {})));
}

/** All requested scopes, each with the service it belongs to. */
async function askedAgain(
  { db }: Pick<StoreDeps, 'db'>,
  client: ClientRecord,
  scopes: string[],
  resource: unknown,
): Promise<ConsentedScopes> {
  const identifiers = [resource ?? []].flat().map(String);
  const entries = await Promise.all(
    identifiers.map(async (identifier) => {
      const server = await findResourceServer(db, identifier);
      return [identifier, server ? scopes.filter(offered(server, client.resources[identifier])) : []];
    }),
  );
  return {
    openid: [...new Set(scopes)].filter((scope) => identityScopes.includes(scope)),
    resources: Object.fromEntries(entries),
  };
}

function refuseUnknown(error: unknown): never {
  throw error instanceof errors.SessionNotFound ? unknownInteraction() : error;
}

function unknownInteraction(): Problem {
  return new Problem(400, 'interaction_expired', {
    title: 'This page has expired',
    detail:
      'It was already completed, has expired, or was opened in another browser. Go back to the app and try again.',
  });
}

/**
 * Who authenticated, in which epoch of theirs, when, and by which methods (RFC 8176); `provider`: the identity provider, if one was used.
 */
export type Authentication = {
  user_id: string;
  user_epoch: number;
  authenticated_at: Date;
  amr: string[];
  provider?: ProviderSession | undefined;
};

/** Resumes the authorization request after sign-in. @returns the URL to redirect to */
export function finishSignIn(provider: Provider, ctx: Context, authentication: Authentication): Promise<string> {
  const { user_id: accountId, user_epoch, authenticated_at, amr, provider: by } = authentication;
  const at = authenticated_at.getTime();
  // Without `ts` a consent would count as a sign-in: the library would use the time of an earlier one.
  const acr = assuranceOf(amr);
  const login = {
    accountId,
    acr,
    amr,
    remember: true,
    ts: Math.floor(at / 1000),
    authenticated_at_ms: at,
    user_epoch,
    by,
  };
  // Signing in also selects the account; a user with an account need not create one.
  const result = { login, select_account: {}, create: {} };
  return provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
}

/** Resumes the request after the user selected the signed-in account. @returns the URL to redirect to */
export function finishSelection(provider: Provider, ctx: Context): Promise<string> {
  return provider.interactionResult(ctx.req, ctx.res, { select_account: {} }, { mergeWithLastSubmission: true });
}

/** Resumes the request after consent; `rejected`: the declined optional scopes. @returns the URL to redirect to */
export function finishConsent(provider: Provider, ctx: Context, rejected: ConsentedScopes): Promise<string> {
  return provider.interactionResult(ctx.req, ctx.res, { consent: { rejected } }, { mergeWithLastSubmission: true });
}

/**
 * Resumes the request of a client that requires a stronger authentication than the user could give (OpenID Connect Core Unmet
 * Authentication Requirements 1.0). @returns the URL to redirect to
 */
export function finishUnmet(provider: Provider, ctx: Context): Promise<string> {
  const unmet = {
    error: 'unmet_authentication_requirements',
    error_description: 'the user did not authenticate as the app requires',
  };
  return provider.interactionResult(ctx.req, ctx.res, unmet, { mergeWithLastSubmission: false });
}

/** Resumes the request after the user denied it: with `access_denied`. @returns the URL to redirect to */
export function finishRefused(provider: Provider, ctx: Context): Promise<string> {
  const refused = { error: 'access_denied', error_description: 'the user denied access' };
  return provider.interactionResult(ctx.req, ctx.res, refused, { mergeWithLastSubmission: false });
}
