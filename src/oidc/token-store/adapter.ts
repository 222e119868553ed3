import type { Adapter } from 'oidc-provider';
import { errors } from 'oidc-provider';
import { DatabaseUnavailableError } from '../../platform/database/index.ts';
import { deviceCodeStore } from './device-codes.ts';
import { interactionStore } from './interaction-model.ts';
import { clientStore, grantStore, type ModelStore, type StoreDeps } from './models.ts';
import { pushedRequestStore } from './pushed-requests.ts';
import { sessionStore } from './session-models.ts';
import { accessTokenStore, codeStore, refreshTokenStore } from './token-models.ts';

/** oidc-provider's adapter factory. A model without a table is refused: its feature was switched on too early. */
export function tokenStore(deps: StoreDeps): (model: string) => Adapter {
  const models: Record<string, ModelStore> = {
    AccessToken: accessTokenStore(deps, 'AccessToken'),
    AuthorizationCode: codeStore(deps),
    Client: clientStore(deps),
    ClientCredentials: accessTokenStore(deps, 'ClientCredentials'),
    DeviceCode: deviceCodeStore(deps),
    Grant: grantStore(deps),
    Interaction: interactionStore(deps),
    PushedAuthorizationRequest: pushedRequestStore(deps),
    RefreshToken: refreshTokenStore(deps),
    Session: sessionStore(deps),
  };
  return (model) => adapterOf(model, models[model] ?? {});
}

function adapterOf(model: string, store: ModelStore): Adapter {
  const refuse = (verb: string) => async () => {
    throw new Error(`${model}.${verb} has no table`);
  };
  return {
    find: translated(store.find ?? refuse('find')),
    upsert: translated(store.upsert ?? refuse('upsert')),
    consume: translated(store.consume ?? refuse('consume')),
    destroy: translated(store.destroy ?? refuse('destroy')),
    // The grant's own mark is what every read joins: nothing else needs a write when it is revoked.
    revokeByGrantId: async () => undefined,
    findByUid: translated(store.findByUid ?? refuse('findByUid')),
    findByUserCode: translated(store.findByUserCode ?? refuse('findByUserCode')),
  };
}

/** An outage must reach the client as 503; any other error class becomes the library's 500. */
function translated<Arguments extends unknown[], Result>(verb: (...input: Arguments) => Promise<Result>) {
  return async (...input: Arguments): Promise<Result> => {
    try {
      return await verb(...input);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError)) throw error;
      const outage = new errors.CustomOIDCProviderError(
        'temporarily_unavailable',
        'the database cannot be reached, try again in a moment',
      );
      throw Object.assign(outage, { status: 503, statusCode: 503, expose: true, allow_redirect: false });
    }
  };
}
