import type { Middleware } from 'koa';
import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider';
import {
  type KeyCode,
  type KeyEntry,
  type KeyVerdict,
  type KeyVerifier,
  keyCodeKinds,
} from '../../../../domain/api-keys/index.ts';
import { builtInClientId } from '../../../../domain/clients/index.ts';
import { type Refusal, refusalCodes, refusals } from '../../../../domain/restrictions/index.ts';
import { form } from '../../../../platform/http/index.ts';
import { inPrintableAscii } from '../../provider/oauth-errors.ts';
import { tokenExchange } from '../../provider/urns.ts';
import { currentUnit } from '../../unit-of-work/index.ts';
import { answerForClient, asksFor } from './presented-client.ts';

export type PresentedKeyDeps = { apiKeys: KeyVerifier };

/**
 * Finds the API key that is exchanged before the provider needs the client. If no client authenticates, the key identifies its owner's
 * client, so that a workload needs only its key.
 */
export function findPresentedKey({ apiKeys }: PresentedKeyDeps): Middleware {
  return async (ctx, next) => {
    const parameters = form(ctx);
    if (!asksFor(ctx, tokenExchange)) return next();
    const found = await apiKeys.find(parameters.get('subject_token') ?? '', apiKeys.senderAt(ctx.ip));
    const answersFor = answerForClient(ctx, parameters, clientOfKey(found));
    currentUnit().presentedKey = { found, grant_type: tokenExchange, answersFor };
    return next();
  };
}

/** The client for a key's tokens, by its `client_id`. With a disabled client, or without a key, the refusal could not contain a reason. */
export function clientOfKey(found: KeyEntry | KeyVerdict): string {
  const isClients = !('code' in found) && found.owner.kind === 'client' && found.owner_enabled;
  return isClients ? found.owner.name : builtInClientId;
}

/**
 * The key that this client may exchange.
 *
 * @throws `invalid_request`: there is no such key, or it is another's (RFC 8693 §2.2.2)
 */
export function keyOf(ctx: KoaContextWithOIDC, client: Client): KeyEntry {
  const { found, answersFor } = currentUnit().presentedKey ?? {};
  if (!found) throw new Error('an exchange without a look at its key');
  if ('code' in found) throw refusalOf(ctx, found);
  if (client.clientId !== (answersFor ?? clientOfKey(found)))
    throw refused('invalid_request', 'The key does not belong to the client that sent it.');
  return found;
}

const tokenErrors: Readonly<Partial<Record<KeyCode, Refusal['tokenError']>>> = {
  insufficient_permissions: { error: 'invalid_scope' },
  ...Object.fromEntries(refusalCodes.map((code) => [code, refusals[code].tokenError])),
};

/** A verdict on a key in the error codes of the token endpoint (RFC 6749 §5.2, RFC 8693 §2.2.2); a limit adds the time to wait. */
export function refusalOf(ctx: KoaContextWithOIDC, { code, reason, retry_after_seconds }: KeyVerdict): Error {
  if (keyCodeKinds[code] !== 'limited') {
    const { error, description = reason } = tokenErrors[code] ?? { error: 'invalid_request' };
    return refused(error, description);
  }
  ctx.set('Retry-After', String(retry_after_seconds ?? 1));
  return refused('temporarily_unavailable', reason, 429);
}

function refused(error: string, reason: string, status = 400): Error {
  const refusal = new errors.CustomOIDCProviderError(error, inPrintableAscii(reason));
  return Object.assign(refusal, { status, statusCode: status, expose: true });
}
