import { z } from 'zod';
import { routesWith } from '../../platform/http/index.ts';
import { RotatedSigningKeyView, RotationInput, SigningKeyView } from './schemas.ts';
import { longestTokenSeconds } from './signing-key.ts';
import { rotateSigningKey, type SigningKeysDeps } from './signing-keys.ts';
import { listSigningKeys, stateOf } from './store.ts';

const route = routesWith<SigningKeysDeps & { keyActivationSeconds: number }>();

/** The keys that sign tokens. */
export const signingKeyRoutes = [
  route({
    method: 'GET',
    path: '/signing-keys',
    summary: 'List signing keys and their states',
    permission: 'latchkey:signing_key:read',
    response: z.object({ items: z.array(SigningKeyView) }),
    handle: async (_, deps) => {
      const keys = await listSigningKeys(deps.db);
      return { items: keys.map((key) => ({ ...key, state: stateOf(key, keys, deps.now()) })) };
    },
  }),
  route({
    method: 'POST',
    path: '/signing-keys/rotate',
    summary:
      'Rotate a signing key: publish a new one, sign with it later, and retire the old one; or all at once after a leak',
    permission: 'latchkey:signing_key:rotate',
    body: RotationInput,
    response: RotatedSigningKeyView,
    status: 201,
    handle: async ({ actor, body: { alg, leaked, activation_seconds } }, deps) => {
      const activationSeconds = activation_seconds ?? deps.keyActivationSeconds;
      const input = { alg, leaked, activationSeconds, retirementSeconds: longestTokenSeconds };
      const made = await rotateSigningKey(deps, actor, input);
      return { ...made, state: stateOf(made, [made], deps.now()) };
    },
  }),
];
