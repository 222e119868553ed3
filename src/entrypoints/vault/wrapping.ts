import { describeWrapped, unwrap, wrap } from '../../domain/vault-roles/index.ts';
import { anonymous } from '../../platform/http/index.ts';
import { answerWith, type VaultAnswer, VaultError } from './answers.ts';
import { secondsIn, textIn } from './fields.ts';
import type { Asked, VaultDeps, VaultRoute } from './routing.ts';

/** Wrapped responses, which can be opened once: those with a secret id. Opening needs only the wrapping token. */
export const wrappingRoutes: readonly VaultRoute[] = [
  { path: /^sys\/wrapping\/unwrap$/, route: '/v1/sys/wrapping/unwrap', open: { write: open } },
  {
    path: /^sys\/wrapping\/(?:re)?wrap$/,
    route: '/v1/sys/wrapping/wrap',
    wraps: true,
    closed: { write: refuseToWrap },
  },
  { path: /^sys\/wrapping\/lookup$/, route: '/v1/sys/wrapping/lookup', open: { write: lookUp, read: lookUp } },
];

const mostSeconds = 24 * 3600;

/** How long a response stays wrapped; undefined: send it unwrapped. @throws VaultError 400 */
export function wrapSecondsOf({ req }: Asked['request']): number | undefined {
  const asked = req.headers['x-vault-wrap-ttl'];
  if (asked === undefined || asked === '' || asked === '0') return undefined;
  const seconds = secondsIn({ ttl: String(asked) }, 'ttl') ?? 0;
  if (seconds >= 1 && seconds <= mostSeconds) return seconds;
  throw new VaultError(400, `X-Vault-Wrap-TTL must be at most ${mostSeconds} seconds`);
}

type Wrapping = { request: Asked['request']; data: { secret_id_accessor: string }; ttl_seconds: number };

export async function wrapped(deps: VaultDeps, { request, data, ttl_seconds }: Wrapping): Promise<VaultAnswer> {
  const made = await wrap(deps, { answer: data, ttl_seconds, creation_path: request.name });
  const { token, accessor, created_at: creation_time, creation_path } = made;
  const wrap_info = {
    token,
    accessor,
    ttl: ttl_seconds,
    creation_time,
    creation_path,
    wrapped_accessor: data.secret_id_accessor,
  };
  const { body } = answerWith(request.request_id, {});
  return { status: 200, body: { ...body, wrap_info } };
}

const notValid = () => new VaultError(400, 'wrapping token is not valid or does not exist');

/** The token is in the body, or sent as the caller's token. */
const tokenIn = ({ request, body }: Asked) => textIn(body, 'token') || request.token || '';

/** @throws VaultError 400 */
async function refuseToWrap(): Promise<VaultAnswer> {
  throw new VaultError(400, 'only answers with a secret ID are wrapped: request one with X-Vault-Wrap-TTL');
}

async function open(deps: VaultDeps, asked: Asked): Promise<VaultAnswer> {
  const { origin, request_id } = asked.request;
  const opened = await unwrap(deps, anonymous(origin), tokenIn(asked));
  if (!opened) throw notValid();
  return answerWith(request_id, { data: opened.answer });
}

async function lookUp(deps: VaultDeps, asked: Asked): Promise<VaultAnswer> {
  const found = await describeWrapped(deps, tokenIn(asked));
  if (!found) throw notValid();
  const { creation_path, created_at: creation_time, ttl_seconds: creation_ttl } = found;
  return answerWith(asked.request.request_id, { data: { creation_path, creation_time, creation_ttl } });
}
