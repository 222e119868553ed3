import { describeWrapped, rewrap, unwrap, type Wrapped, wrap } from '../../domain/vault-roles/index.ts';
import { anonymous } from '../../platform/http/index.ts';
import { answerWith, type Envelope, isEnvelope, type VaultAnswer, VaultError } from './answers.ts';
import { secondsIn, textIn } from './fields.ts';
import type { Asked, VaultDeps, VaultRoute } from './routing.ts';

/** Wrapped responses, which can be opened once. Opening needs only the wrapping token. */
export const wrappingRoutes: readonly VaultRoute[] = [
  { path: /^sys\/wrapping\/unwrap$/, route: '/v1/sys/wrapping/unwrap', open: { write: open } },
  { path: /^sys\/wrapping\/wrap$/, route: '/v1/sys/wrapping/wrap', closed: { write: repeat } },
  { path: /^sys\/wrapping\/rewrap$/, route: '/v1/sys/wrapping/rewrap', open: { write: renew } },
  { path: /^sys\/wrapping\/lookup$/, route: '/v1/sys/wrapping/lookup', open: { write: lookUp, read: lookUp } },
];

const mostSeconds = 24 * 3600;
/** Any caller can have responses stored, for a day. */
const mostBytes = 64 * 1024;

/** How long a response stays wrapped; undefined: send it unwrapped. @throws VaultError 400 */
export function wrapSecondsOf({ req }: Asked['request']): number | undefined {
  const asked = req.headers['x-vault-wrap-ttl'];
  if (asked === undefined || asked === '' || asked === '0') return undefined;
  const seconds = secondsIn({ ttl: String(asked) }, 'ttl') ?? 0;
  if (seconds >= 1 && seconds <= mostSeconds) return seconds;
  throw new VaultError(400, `X-Vault-Wrap-TTL must be at most ${mostSeconds} seconds`);
}

/**
 * Stores a response for the holder of the returned wrapping token. Refusals, and responses without content, are sent as they are.
 *
 * @throws VaultError 400: it is too long
 */
export async function wrapped(
  deps: VaultDeps,
  request: Asked['request'],
  { answer, ttl_seconds }: { answer: VaultAnswer; ttl_seconds: number },
): Promise<VaultAnswer> {
  const { status, body } = answer;
  if (status !== 200 || !isEnvelope(body)) return answer;
  if (Buffer.byteLength(JSON.stringify(body)) > mostBytes)
    throw new VaultError(400, `a response of more than ${mostBytes} bytes cannot be wrapped`);
  const made = await wrap(deps, { answer: { response: body }, ttl_seconds, creation_path: request.name });
  return wrapInfo(request.request_id, made, accessorIn(body));
}

function wrapInfo(request_id: string, made: Wrapped, wrapped_accessor?: unknown): VaultAnswer {
  const { token, accessor, ttl_seconds: ttl, created_at: creation_time, creation_path } = made;
  const wrap_info = {
    token,
    accessor,
    ttl,
    creation_time,
    creation_path,
    ...(wrapped_accessor ? { wrapped_accessor } : {}),
  };
  return { status: 200, body: { ...answerWith(request_id, {}).body, wrap_info } };
}

/** Of a token or a secret id, so that it can be revoked while it is wrapped. */
const accessorIn = ({ auth, data }: Envelope) =>
  auth?.accessor ?? (data as { secret_id_accessor?: unknown } | null)?.secret_id_accessor;

const notValid = () => new VaultError(400, 'wrapping token is not valid or does not exist');

/** The token is in the body, or sent as the caller's token. */
const tokenIn = ({ request, body }: Asked) => textIn(body, 'token') || request.token || '';

/** Any content, which a client has wrapped. @throws VaultError 400 */
async function repeat(_: VaultDeps, { request, body }: Asked): Promise<VaultAnswer> {
  if (wrapSecondsOf(request) === undefined) throw new VaultError(400, 'endpoint requires response wrapping to be used');
  return answerWith(request.request_id, { data: body });
}

/** A wrapped response can contain a secret. @throws VaultError 503 */
async function mustBeOpen({ vault }: VaultDeps): Promise<void> {
  if ((await vault.state()).sealed) throw new VaultError(503, 'Vault is sealed');
}

async function open(deps: VaultDeps, asked: Asked): Promise<VaultAnswer> {
  await mustBeOpen(deps);
  const { origin, request_id } = asked.request;
  const opened = await unwrap(deps, anonymous(origin), tokenIn(asked));
  if (!opened) throw notValid();
  const { response } = opened.answer as { response?: object };
  // An earlier version stored only the data.
  return response
    ? { status: 200, body: { ...response, request_id } }
    : answerWith(request_id, { data: opened.answer });
}

async function renew(deps: VaultDeps, asked: Asked): Promise<VaultAnswer> {
  await mustBeOpen(deps);
  const { origin, request_id } = asked.request;
  const made = await rewrap(deps, anonymous(origin), tokenIn(asked));
  if (!made) throw notValid();
  return wrapInfo(request_id, made);
}

async function lookUp(deps: VaultDeps, asked: Asked): Promise<VaultAnswer> {
  const found = await describeWrapped(deps, tokenIn(asked));
  if (!found) throw notValid();
  const { creation_path, created_at: creation_time, ttl_seconds: creation_ttl } = found;
  return answerWith(asked.request.request_id, { data: { creation_path, creation_time, creation_ttl } });
}
