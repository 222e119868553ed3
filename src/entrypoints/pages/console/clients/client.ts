import type { z } from 'zod';
import { type ClientView, isSecretMethod, provenanceOf } from '../../../../domain/clients/index.ts';
import type { ActionDescription } from '../actions.ts';
import type { RequestContext } from '../request-context.ts';

export type Client = z.output<typeof ClientView>;

/** The types of clients, in words. */
export const kinds: Record<Client['type'], string> = {
  web: 'Web app',
  spa: 'Single-page app',
  native: 'Native app',
  service: 'Service',
  agent: 'Agent',
  workload: 'Workload',
};

/** How clients were registered, in words. */
export const origins: Record<Client['registered_by'], string> = {
  operator: 'An operator',
  document: 'Its metadata document',
  dynamic: 'Itself',
  trust: 'A trusted issuer',
};

/** How a client was registered; a value of a newer version is shown unchanged. */
export const originOf = ({ registered_by }: Client): string => origins[registered_by] ?? registered_by;

/** What is known of where a client is from that registered itself; its name can be anyone's. */
export function selfRegistrationOf(client: Client): string | undefined {
  const provenance = provenanceOf({ ...client, metadata: client });
  return provenance?.by === 'itself' ? `Registered itself, returns to ${provenance.returns_to.join(', ')}` : undefined;
}

export const clientPath = (client_id: string) => `/console/clients/${encodeURIComponent(client_id)}`;

export function nameOf({ client_name, client_id }: Client): string {
  return typeof client_name === 'string' ? client_name : client_id;
}

export function usesSecret({ token_endpoint_auth_method }: Client): boolean {
  return isSecretMethod(token_endpoint_auth_method);
}

/** The client that an address names. */
export function findClient({ api, params: { client_id = '' } }: RequestContext): Promise<Client> {
  return api.call('GET /clients/{client_id}', { params: { client_id } });
}

/** The common parts of all action pages of a client. */
export async function frame(
  context: RequestContext,
): Promise<Pick<ActionDescription, 'crumb' | 'name' | 'back'> & { client: Client }> {
  const client = await findClient(context);
  return { client, crumb: context.crumb, name: nameOf(client), back: clientPath(client.client_id) };
}
