export type Answer = { status: number; headers: Record<string, string>; body: string };

/** The response instead of the route's own: problem+json (RFC 9457) with a challenge (RFC 6750 §3). */
export type Refusal = Answer;

type Reason = {
  error?: string;
  detail: string;
  scope?: string | undefined;
  scheme?: 'Bearer' | 'DPoP';
  retryAfter?: number;
  /** The authorization request with which the client gets an accepted token (RFC 9470 §3). */
  acr_values?: string | undefined;
  max_age?: number | undefined;
  /** The address of the API's metadata (RFC 9728 §5.1). */
  resource_metadata?: string | undefined;
};

const titles: Record<number, string> = {
  400: 'Invalid request',
  401: 'Not authenticated',
  403: 'Not allowed',
  429: 'Too many requests',
  503: 'Try again in a moment',
};

export function refusal(status: number, reason: Reason): Refusal {
  const { error, detail, scope, retryAfter } = reason;
  const isChallenged = status === 401 || (status === 403 && scope !== undefined);
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...(isChallenged && { 'WWW-Authenticate': challengeOf(reason) }),
      ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    },
    body: JSON.stringify({
      type: `urn:latchkey:problem:${error ?? 'unauthenticated'}`,
      title: titles[status],
      status,
      detail,
      ...(status === 403 && scope !== undefined && { scope }),
    }),
  };
}

/** The description is last and contains no `=`: some clients search the whole header for `scope=` and use the first match. */
function challengeOf({ error, detail, scheme = 'Bearer', ...said }: Reason): string {
  const { scope, acr_values, max_age, resource_metadata } = said;
  const description = error && detail.replaceAll('=', ':');
  const parameters = Object.entries({
    error,
    scope,
    acr_values,
    max_age,
    resource_metadata,
    error_description: description,
  })
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}="${quotable(String(value))}"`);
  return `${scheme} ${parameters.join(', ') || 'realm="latchkey"'}`;
}

function quotable(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\u0020-\u007e]|\\/g, '?');
}
