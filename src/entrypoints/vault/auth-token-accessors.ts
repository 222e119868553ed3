import { allows } from '../../domain/access/index.ts';
import { tokensPermission } from '../../domain/secrets/index.ts';
import { findWrappedBy, revokeWrapped } from '../../domain/vault-roles/index.ts';
import {
  type FoundByAccessor,
  findTokenByAccessor,
  listTokenAccessors,
  renewVaultToken,
  revokeVaultToken,
} from '../../domain/vault-tokens/index.ts';
import { digest } from '../../platform/crypto/index.ts';
import { answerWith, noContent, permissionDenied, type VaultAnswer, VaultError } from './answers.ts';
import { authOf, secondsUntil, tokenData } from './auth-token.ts';
import type { VaultCaller } from './callers.ts';
import { secondsIn, textIn } from './fields.ts';
import type { Called, VaultDeps, VaultRoute } from './routing.ts';

export type ByAccessor = (deps: VaultDeps, asked: Called & { found: FoundByAccessor }) => Promise<VaultAnswer>;

/** Tokens by their accessors, which identify them and give no access. */
export const accessorRoutes: readonly VaultRoute[] = [
  {
    path: /^auth\/token\/lookup-accessor$/,
    route: '/v1/auth/token/lookup-accessor',
    closed: { write: orWrapping(withFound(lookUp), lookUpWrapped) },
  },
  {
    path: /^auth\/token\/renew-accessor$/,
    route: '/v1/auth/token/renew-accessor',
    closed: { write: withFound(renew) },
  },
  {
    path: /^auth\/token\/revoke-accessor$/,
    route: '/v1/auth/token/revoke-accessor',
    closed: { write: orWrapping(withFound(revoke), revokeWrapping) },
  },
  { path: /^auth\/token\/accessors$/, route: '/v1/auth/token/accessors', closed: { list, read: list } },
];

/** For the caller's token and those it created; for others with the permission. */
export function withFound(handler: ByAccessor) {
  return async (deps: VaultDeps, asked: Called): Promise<VaultAnswer> => {
    const accessor = accessorIn(asked);
    const found = await findTokenByAccessor(deps, { accessor, audience: deps.audience });
    const mayAll = allows(asked.caller.rights, tokensPermission);
    if (!mayAll && !(found && isOwn(asked.caller, found))) throw permissionDenied();
    if (!found) throw new VaultError(403, 'invalid accessor');
    return handler(deps, { ...asked, found });
  };
}

/** @throws VaultError 400 */
function accessorIn({ body }: Called): string {
  const accessor = textIn(body, 'accessor');
  if (!accessor) throw new VaultError(400, 'missing accessor');
  return accessor;
}

function isOwn({ token, isKey }: VaultCaller, { digest: of, parent }: FoundByAccessor): boolean {
  const own = digest(token);
  return !isKey && (own.equals(of) || parent?.equals(own) === true);
}

type Wrapped = NonNullable<Awaited<ReturnType<typeof findWrappedBy>>>;

/** A wrapping token has no owner: this needs the permission. */
function orWrapping(
  handler: ReturnType<typeof withFound>,
  ofWrapping: (deps: VaultDeps, asked: Called & { wrapped: Wrapped }) => Promise<VaultAnswer>,
) {
  return async (deps: VaultDeps, asked: Called): Promise<VaultAnswer> => {
    const mayAll = allows(asked.caller.rights, tokensPermission);
    const wrapped = mayAll ? await findWrappedBy(deps, accessorIn(asked)) : undefined;
    return wrapped ? ofWrapping(deps, { ...asked, wrapped }) : handler(deps, asked);
  };
}

async function lookUpWrapped({ now }: VaultDeps, asked: Called & { wrapped: Wrapped }): Promise<VaultAnswer> {
  const { created_at, expires_at, ttl_seconds: creation_ttl, creation_path: path } = asked.wrapped;
  const data = {
    ...{ accessor: accessorIn(asked), id: '', display_name: '', entity_id: '', path, meta: null, orphan: true },
    ...{ creation_time: Math.floor(created_at.getTime() / 1000), creation_ttl, explicit_max_ttl: creation_ttl },
    ...{ expire_time: expires_at, issue_time: created_at, ttl: secondsUntil(expires_at, now()), num_uses: 1 },
    ...{ policies: ['response-wrapping'], renewable: false, type: 'service' },
  };
  return answerWith(asked.request.request_id, { data });
}

async function revokeWrapping(deps: VaultDeps, { caller, wrapped }: Called & { wrapped: Wrapped }) {
  await revokeWrapped(deps, caller.actor, wrapped);
  return noContent;
}

export const scopesOf = ({ scope }: FoundByAccessor) => (scope ?? '').split(' ').filter(Boolean);

async function lookUp({ now }: VaultDeps, { request, found }: Parameters<ByAccessor>[1]): Promise<VaultAnswer> {
  const { noted, digest, expires_at, client: name } = found;
  const data = tokenData({ noted, digest, expires_at, rights: scopesOf(found), id: '', name }, now());
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
