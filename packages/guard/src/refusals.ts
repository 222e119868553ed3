/** What is answered instead of the route's own answer: problem+json (RFC 9457) with a challenge (RFC 6750 §3). */
export type Refusal = { status: number; headers: Record<string, string>; body: string };

type Reason = { error?: string; detail: string; scope?: string; scheme?: 'Bearer' | 'DPoP'; retryAfter?: number };

const titles: Record<number, string> = {
  400: 'Invalid request',
  401: 'Not authenticated',
  403: 'Not allowed',
  429: 'Too many requests',
  503: 'Try again in a moment',
};

export function refusal(status: number, { error, detail, scope, scheme = 'Bearer', retryAfter }: Reason): Refusal {
  const challenge = Object.entries({ error, error_description: error && detail, scope })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}="${quotable(String(value))}"`)
    .join(', ');
  const isChallenged = status === 401 || (status === 403 && scope !== undefined);
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      ...(isChallenged && { 'WWW-Authenticate': `${scheme} ${challenge || 'realm="latchkey"'}` }),
      ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    },
    body: JSON.stringify({
      type: `urn:latchkey:problem:${error ?? 'unauthenticated'}`,
      title: titles[status],
      status,
      detail,
      ...(scope !== undefined && { scope }),
    }),
  };
}

function quotable(text: string): string {
  return text.replaceAll('"', "'").replaceAll(/[^\u0020-\u007e]|\\/g, '?');
}
