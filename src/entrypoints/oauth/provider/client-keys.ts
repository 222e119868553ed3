import Provider, { type Configuration } from 'oidc-provider';
import type { FetchBudget } from '../../../platform/outbound/index.ts';
import { type ClientDeps, findClientRecord } from '../store/index.ts';
import { currentUnit } from '../unit-of-work/index.ts';

type Fetch = NonNullable<Configuration['fetch']>;

export type ClientKeysDeps = ClientDeps & { fetch: Fetch; keysBudget: FetchBudget };

/**
 * `fetch` as the provider calls it for the keys of clients (RFC 7591 `jwks_uri`), in requests of anyone who names the client. For clients
 * that registered themselves it counts against the budget of their hosts and of the caller's address. After a failure the keys are not
 * fetched again at once: the library would do so for each request.
 */
export function fetchWithinBudget(deps: ClientKeysDeps): Fetch {
  return async (input, init) => {
    const client_id = Provider.ctx?.oidc.client?.clientId;
    const record = client_id === undefined ? undefined : await findClientRecord(deps, client_id);
    if (!record) return deps.fetch(input, init);
    const url = input instanceof Request ? input.url : String(input);
    const isSelfRegistered = record.registered_by !== 'operator';
    // Many clients of operators may share one address.
    const address = isSelfRegistered ? (currentUnit().origin.address ?? '') : `client ${record.client_id}`;
    const request = { address, isCounted: isSelfRegistered, waitsAfterFailure: true };
    if (!deps.keysBudget.begin(url, request)) throw new Error('too many key sets are fetched: try again in a minute');
    let isAnswered = false;
    try {
      const response = await deps.fetch(input, init);
      isAnswered = response.status === 200;
      return response;
    } finally {
      deps.keysBudget.end(url, { address, isAnswered });
    }
  };
}
