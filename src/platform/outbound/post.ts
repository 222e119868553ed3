import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { addressGuard } from './address-guard.ts';

export type PostInput = { url: string; headers: Record<string, string>; body: string };
export type Posting = (input: PostInput) => Promise<number>;

/**
 * Sends a POST to addresses that others chose. The connection goes to the address that was checked, so a name that resolves differently a
 * moment later has no effect. Redirects are not followed and responses not read.
 *
 * @returns a function that resolves to the status; it throws TypeError for a refused address, Error for a network failure
 */
export function guardedPost({ allowLoopback, timeoutMs }: { allowLoopback: boolean; timeoutMs: number }): Posting {
  const guard = addressGuard({ allowLoopback, timeoutMs });
  return ({ url, headers, body }) =>
    new Promise((resolve, reject) => {
      const { protocol, hostname } = new URL(url);
      guard.mustBeAllowed(hostname);
      const answered = (response: IncomingMessage) => {
        response.destroy();
        resolve(response.statusCode ?? 0);
      };
      const request = protocol === 'https:' ? requestHttps : requestHttp;
      const signal = AbortSignal.timeout(timeoutMs);
      const length = Buffer.byteLength(body);
      request(
        url,
        {
          method: 'POST',
          headers: { ...headers, 'content-length': length },
          lookup: guard.lookup,
          signal,
          agent: false,
        },
        answered,
      )
        .on('error', reject)
        .end(body);
    });
}
