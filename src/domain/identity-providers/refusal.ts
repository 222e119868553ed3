import type { ClientError, ResponseBodyError } from 'openid-client';

/**
 * What a refusal means for the user: they cancelled, the provider is unavailable, its response is invalid, it belongs to no pending
 * request of this browser, or it does not prove a new authentication.
 */
export type RefusalKind = 'cancelled' | 'unavailable' | 'invalid' | 'expired' | 'not_fresh';

/** Why a sign-in with a provider is refused; the reason is for administrators, never for the browser. */
export class ProviderRefusal extends Error {
  override name = 'ProviderRefusal';
  readonly kind: RefusalKind;

  constructor(kind: RefusalKind, reason: string) {
    super(reason);
    this.kind = kind;
  }
}

const longest = 200;
const errorShape = /^[a-z_]{1,60}$/;

const named = (error: string) => (errorShape.test(error) ? error : 'an unknown error');

type Cause = { message?: string; cause?: { claim?: string } };

/**
 * Converts an error of the library to a refusal.
 *
 * @throws any other error unchanged
 */
export function refusalOf(error: unknown): ProviderRefusal {
  const ours = [error, causeOf(error)].find((each) => each instanceof ProviderRefusal);
  if (ours) return ours;
  const { code } = error as ClientError;
  if (code === 'OAUTH_AUTHORIZATION_RESPONSE_ERROR') {
    const answered = named((error as ResponseBodyError).error);
    return new ProviderRefusal(
      answered === 'access_denied' ? 'cancelled' : 'invalid',
      `the provider answered ${answered}`,
    );
  }
  if (code === 'OAUTH_RESPONSE_BODY_ERROR')
    return new ProviderRefusal('invalid', `the token endpoint answered ${named((error as ResponseBodyError).error)}`);
  if (typeof code !== 'string' || !code.startsWith('OAUTH_')) throw error;
  if (code === 'OAUTH_TIMEOUT') return unavailable();
  const { message, cause } = (causeOf(error) ?? {}) as Cause;
  if (cause?.claim) return new ProviderRefusal('invalid', `wrong ${cause.claim} in the ID token`);
  return new ProviderRefusal(
    'invalid',
    `invalid answer: ${(message ?? String((error as Error).message)).slice(0, longest)}`,
  );
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);

/** One message for all network failures: details would reveal what exists in the internal network. */
export function unavailable(): ProviderRefusal {
  return new ProviderRefusal('unavailable', 'the provider does not answer in time, or not as expected');
}
