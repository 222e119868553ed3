import { ownKey } from './own-key.ts';

const { PLATFORM = 'http://localhost:4100', FROM } = process.env;
const key = await ownKey();

/** Sends a request to the platform, and prints the result: allowed, or why not. */
export async function attempt(request: string, body?: object): Promise<void> {
  const [method = '', path = ''] = request.split(' ');
  const answer = await fetch(`${PLATFORM}${path}`, {
    method,
    headers: {
      'X-API-Key': key,
      // Set by the proxy in front of the platform; on one machine there is none.
      ...(FROM && { 'X-Forwarded-For': FROM }),
      ...(body && { 'Content-Type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { detail = 'allowed' } = (await answer.json()) as { detail?: string };
  console.log(`${request}: ${answer.status} ${detail}`);
}
