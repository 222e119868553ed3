import type { Fetching } from '../../platform/outbound/index.ts';
import { unavailable } from './refusal.ts';

const mostBytes = 256 * 1024;

/** Requests to a provider: responses are bounded in size, and all network failures become the same refusal. */
export function boundedFetch(fetch: Fetching): (url: string, options: object) => Promise<Response> {
  return async (url, options) => {
    try {
      const response = await fetch(url, options);
      const { status, headers } = response;
      const body = await bodyOf(response);
      return new Response(withoutBody.includes(status) ? null : body, { status, headers });
    } catch {
      throw unavailable();
    }
  };
}

const withoutBody = [204, 205, 304];

async function bodyOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop closes the connection.
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > mostBytes) throw unavailable();
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}
