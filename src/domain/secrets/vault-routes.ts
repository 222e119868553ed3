import { routesWith } from '../../platform/http/index.ts';
import type { SecretsDeps } from './deps.ts';
import { InitializationInput, InitializedView, RotatedView, UnsealInput, VaultView } from './schemas.ts';
import { describeTerm, rotateTerm } from './terms.ts';

const route = routesWith<SecretsDeps>();

/** The seal of the vault. */
export const vaultRoutes = [
  route({
    method: 'GET',
    path: '/vault',
    summary: 'Get the state of the vault: sealed or unsealed',
    permission: 'latchkey:vault:read',
    response: VaultView,
    handle: (_, deps) => described(deps),
  }),
  route({
    method: 'POST',
    path: '/vault/seal',
    summary: 'Seal the secrets: no node reads or writes one until they are unsealed',
    permission: 'latchkey:vault:seal',
    response: VaultView,
    handle: async ({ actor }, deps) => {
      await deps.vault.seal(actor);
      return described(deps);
    },
  }),
  route({
    method: 'POST',
    path: '/vault/unseal',
    summary: 'Unseal the secrets: a static seal at once, others with one share of the key for each call, on each node',
    permission: 'latchkey:vault:seal',
    body: UnsealInput,
    response: VaultView,
    handle: async ({ actor, body: { key } }, deps) => {
      if (key === undefined) await deps.vault.unseal(actor);
      else await deps.vault.takeShare(actor, key);
      return described(deps);
    },
  }),
  route({
    method: 'POST',
    path: '/vault/rotate',
    summary: 'Create the key of a new term; the keys of all versions are re-encrypted under it in the background',
    permission: 'latchkey:vault:seal',
    response: RotatedView,
    handle: async ({ actor }, deps) => ({ term: await rotateTerm(deps, actor) }),
  }),
  route({
    method: 'POST',
    path: '/vault/initialize',
    summary: 'Initialize a vault whose key is split into shares; the shares are shown once',
    permission: 'latchkey:vault:seal',
    body: InitializationInput,
    response: InitializedView,
    handle: async ({ actor, body }, { vault }) => {
      const keys = await vault.initialize(actor, body);
      return { keys: keys.map((key) => key.toString('base64')), threshold: body.threshold };
    },
  }),
];

async function described(deps: SecretsDeps) {
  return { ...(await deps.vault.state()), term: (await describeTerm(deps)) ?? null };
}
