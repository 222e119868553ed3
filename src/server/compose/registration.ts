import type { Context, Middleware } from 'koa';
import { allows, effectivePermissions } from '../../domain/access/index.ts';
import { adminAudience } from '../../entrypoints/admin/index.ts';
import { registrationEndpoint } from '../../entrypoints/oauth/index.ts';
import { type Actor, forbidden, requestOrigin } from '../../platform/http/index.ts';
import type { AppDeps } from '../app-deps.ts';
import type { Services } from '../services.ts';
import { ownApiCaller } from './admin.ts';
import { metadataRules } from './apply.ts';
import type { OAuth } from './oauth.ts';

type Needs = Pick<Services, 'apiKeys' | 'db' | 'keys' | 'now' | 'throttles'>;

const permission = 'latchkey:client:register';

/** Dynamic client registration. Its initial access tokens are API keys, or access tokens for the admin API, with a permission. */
export function registration(
  { config, issuer }: Pick<AppDeps, 'config' | 'issuer'>,
  services: Needs,
  oauth: Pick<OAuth, 'bearers'>,
): Middleware {
  const { db, keys, now, throttles } = services;
  const callerOf = ownApiCaller(services, oauth);
  const resource = adminAudience(issuer);
  const registrar = async (ctx: Context): Promise<Actor> => {
    const { kind, id, subject_id, api_key, isKey, scopes } = await callerOf(ctx, resource);
    const permissions = isKey
      ? scopes
      : await effectivePermissions({ db, now }, { subject_id, limits: [], resource, scopes });
    if (!allows(permissions, permission)) throw forbidden(permission, `This needs "${permission}".`);
    const who = isKey && api_key ? { kind: 'api_key' as const, id: api_key.id } : { kind, id };
    return { ...who, subject_id, limits: [], permissions, origin: requestOrigin(ctx) };
  };
  return registrationEndpoint({
    ...{ db, keys, now, registrar, mode: config.registration, validateMetadata: metadataRules() },
    countRegistration: (address) => throttles.countRegistration(address),
  });
}
