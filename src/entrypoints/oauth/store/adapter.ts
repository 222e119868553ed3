import type { Adapter } from 'oidc-provider';
import { accessTokenStore } from './access-token-model.ts';
import { clientStore } from './client-model.ts';
import { type CodeDeps, codeStore } from './code-model.ts';
import { deviceCodeStore } from './device-codes.ts';
import { interactionStore } from './interaction-model.ts';
import type { ModelStore } from './model-store.ts';
import { grantStore } from './models.ts';
import { pushedRequestStore } from './pushed-requests.ts';
import { type RefreshTokenDeps, refreshTokenStore } from './refresh-token-model.ts';
import { sessionStore } from './session-models.ts';
import type { TrustDeps } from './trusted-scopes.ts';

/** oidc-provider's adapter factory. A model without a table is refused: its feature was enabled too early. */
export function tokenStore(deps: CodeDeps & RefreshTokenDeps & TrustDeps): (model: string) => Adapter {
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
    find: store.find ?? refuse('find'),
    upsert: store.upsert ?? refuse('upsert'),
    consume: store.consume ?? refuse('consume'),
    destroy: store.destroy ?? refuse('destroy'),
    // Every read joins the grant's own mark: nothing else needs a write when it is revoked.
    revokeByGrantId: async () => undefined,
    findByUid: store.findByUid ?? refuse('findByUid'),
    findByUserCode: store.findByUserCode ?? refuse('findByUserCode'),
  };
}
