import { allows } from '../../domain/access/index.ts';
import { tokensPermission } from '../../domain/secrets/index.ts';
import {
  describeVaultToken,
  type FoundByAccessor,
  findTokenByAccessor,
  listTokenAccessors,
  renewVaultToken,
  revokeVaultToken,
} from '../../domain/vault-tokens/index.ts';
import { answerWith, noContent, permissionDenied, type VaultAnswer, VaultError } from './answers.ts';
import { authOf, tokenData } from './auth-token.ts';
import type { VaultCaller } from './callers.ts';
import { secondsIn, textIn } from './fields.ts';
import type { Called, VaultDeps, VaultRoute } from './routing.ts';

type ByAccessor = (deps: VaultDeps, asked: Called & { found: FoundByAccessor }) => Promise<VaultAnswer>;

/** Tokens by their accessors, which identify them and give no access. */
export const accessorRoutes: readonly VaultRoute[] = [
  {
    path: /^auth\/token\/lookup-accessor$/,
    route: '/v1/auth/token/lookup-accessor',
    closed: { write: withFound(lookUp) },
  },
  {
    path: /^auth\/token\/renew-accessor$/,
    route: '/v1/auth/token/renew-accessor',
    closed: { write: withFound(renew) },
  },
  {
    path: /^auth\/token\/revoke-accessor$/,
    route: '/v1/auth/token/revoke-accessor',
    closed: { write: withFound(revoke) },
  },
  { path: /^auth\/token\/accessors$/, route: '/v1/auth/token/accessors', closed: { list, read: list } },
];

/** For the caller's token and those it created; for others with the permission. */
function withFound(handler: ByAccessor) {
  return async (deps: VaultDeps, asked: Called): Promise<VaultAnswer> => {
    const accessor = textIn(asked.body, 'accessor');
    if (!accessor) throw new VaultError(400, 'missing accessor');
    const found = await findTokenByAccessor(deps, accessor);
    const mayAll = allows(asked.caller.rights, tokensPermission);
    if (!mayAll && !(found && (await isOwn(deps, asked.caller, found)))) throw permissionDenied();
    if (!found) throw new VaultError(403, 'invalid accessor');
    return handler(deps, { ...asked, found });
  };
}

async function isOwn(deps: VaultDeps, { token, isKey }: VaultCaller, found: FoundByAccessor): Promise<boolean> {
  const own = isKey ? undefined : await describeVaultToken(deps, token);
  return own !== undefined && (own.digest.equals(found.digest) || found.parent?.equals(own.digest) === true);
}

const scopesOf = ({ scope }: FoundByAccessor) => (scope ?? '').split(' ').filter(Boolean);

async function lookUp({ now }: VaultDeps, { request, found }: Parameters<ByAccessor>[1]): Promise<VaultAnswer> {
  const { expires_at, display_name: name } = found;
  const data = tokenData({ noted: found, expires_at, rights: scopesOf(found), id: '', name }, now());
  return answerWith(request.request_id, { data });
}

async function renew(deps: VaultDeps, { request, body, caller, found }: Parameters<ByAccessor>[1]) {
  const seconds = secondsIn(body, 'increment');
  const renewed = await renewVaultToken(deps, caller.actor, { token: found.digest, seconds });
  if (!renewed) throw new VaultError(400, 'lease is not renewable');
  const { noted, seconds: lease_duration } = renewed;
  const auth = { ...authOf({ token: '', noted, rights: scopesOf(found), lease_duration }), client_token: '' };
  return answerWith(request.request_id, { auth });
}

async function revoke(deps: VaultDeps, { caller, found }: Parameters<ByAccessor>[1]): Promise<VaultAnswer> {
  await revokeVaultToken(deps, caller.actor, found.digest);
  return noContent;
}

/** @throws VaultError 403 */
async function list(deps: VaultDeps, { request, caller }: Called): Promise<VaultAnswer> {
  if (!allows(caller.rights, tokensPermission)) throw permissionDenied();
  return answerWith(request.request_id, { data: { keys: await listTokenAccessors(deps) } });
}
