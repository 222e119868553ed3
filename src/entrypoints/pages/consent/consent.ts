import type { Context } from 'koa';
import type { ConsentedScopes } from '../../../../db/schema.ts';
import { provenanceOf, redirectsToLoopbackOnly } from '../../../domain/clients/index.ts';
import { allowClient, findStandingConsent } from '../../../domain/consents/index.ts';
import { findUserById } from '../../../domain/users/index.ts';
import { form, isLoopbackName, person, requestOrigin } from '../../../platform/http/index.ts';
import { finishConsent, type PendingInteraction } from '../../oauth/index.ts';
import { clientLogoPath } from '../client-logos.ts';
import { checkCsrf, csrfToken } from '../csrf.ts';
import { accountName, type PagesDeps, show, textsFor } from '../pages.ts';
import { goOn, nameOf, refuse } from './answers.ts';
import type { AskedGroup } from './page-data.ts';
import { describeAsked, describeScopes, scopeValue } from './scope-descriptions.ts';

/** Shows the request of an app. */
export async function showConsent(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  const { uid, client, redirect_uri, asked, user_id = '' } = interaction;
  const user = await findUserById(deps.db, user_id);
  const before = await findStandingConsent(deps.db, user_id, client.id, deps.now());
  const texts = textsFor(deps, ctx);
  show(deps, ctx, 'consent', {
    csrf: csrfToken(deps, ctx),
    action: `/interaction/${uid}/consent`,
    switch_account_action: `/interaction/${uid}/switch-account`,
    client_name: nameOf(interaction),
    client_id: client.client_id,
    client_logo: await clientLogoPath(deps.db, client.id),
    ...describedBy(client),
    signed_in_as: user ? accountName(user) : '',
    groups: await describeAsked(deps.db, { asked, before: before?.scopes, texts }),
    also_allowed: before ? await describeScopes(deps.db, without(before.scopes, asked), texts) : [],
    ...returnPlace(redirect_uri),
    lasts_until: before?.expires_at ?? null,
  });
}

/** Where the description of a client comes from, and whether any program on the user's computer can claim to be it. */
function describedBy(client: PendingInteraction['client']) {
  const provenance = provenanceOf(client);
  const is_impersonable = provenance?.by === 'document' && redirectsToLoopbackOnly(client.metadata.redirect_uris);
  return { provenance, is_impersonable };
}

function returnPlace(redirect_uri: string | undefined): { return_host: string | null; return_is_loopback: boolean } {
  if (!redirect_uri) return { return_host: null, return_is_loopback: false };
  const { hostname, host, protocol } = new URL(redirect_uri);
  // The rest of a custom scheme identifies no one: an app on the device registers the whole scheme.
  const isWeb = protocol === 'https:' || protocol === 'http:';
  return { return_host: isWeb ? host : protocol, return_is_loopback: isWeb && isLoopbackName(hostname) };
}

/** Records what the user allowed, or that they declined. */
export async function submitConsent(deps: PagesDeps, ctx: Context, interaction: PendingInteraction): Promise<void> {
  checkCsrf(deps, ctx);
  const { client, asked, user_id } = interaction;
  if (form(ctx).get('decision') !== 'allow' || !user_id || interaction.prompt !== 'consent') {
    await refuse(deps, ctx, interaction);
    return;
  }
  const groups = await describeAsked(deps.db, { asked, before: undefined, texts: textsFor(deps, ctx) });
  const allowed = keep(asked, groups, new Set(form(ctx).getAll('scope')));
  await allowClient(deps, person(user_id, requestOrigin(ctx)), { user_id, client, asked, allowed });
  goOn(ctx, await finishConsent(deps.provider().current(), ctx, without(asked, allowed)));
}

/** The requested scopes, without the optional ones that were unticked; any other value of the form is ignored. */
function keep(asked: ConsentedScopes, groups: readonly AskedGroup[], ticked: Set<string>): ConsentedScopes {
  const dropped = new Set(
    groups.flatMap(({ scopes }) =>
      scopes.filter(({ optional, value }) => optional && !ticked.has(value)).map(({ value }) => value),
    ),
  );
  return filtered(asked, (resource, name) => !dropped.has(scopeValue(resource, name)));
}

/** The elements of the first without those of the second. */
function without(asked: ConsentedScopes, allowed: ConsentedScopes): ConsentedScopes {
  return filtered(
    asked,
    (resource, name) => !(resource === null ? allowed.openid : (allowed.resources[resource] ?? [])).includes(name),
  );
}

function filtered(
  { openid, resources }: ConsentedScopes,
  holds: (resource: string | null, name: string) => boolean,
): ConsentedScopes {
  const entries = Object.entries(resources).map(([resource, names]) => [
    resource,
    names.filter((name) => holds(resource, name)),
  ]);
  return { openid: openid.filter((name) => holds(null, name)), resources: Object.fromEntries(entries) };
}
