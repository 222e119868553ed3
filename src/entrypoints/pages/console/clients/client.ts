import { ClientView } from '../../../../domain/clients/index.ts';
import type { Asked } from '../actions.ts';
import type { Place } from '../request-context.ts';
import { type Client, clientPath, crumb, nameOf, section } from './detail.ts';

/** The client that an address names. */
export function findClient({ calls, params: { client_id = '' } }: Place): Promise<Client> {
  return calls.read('GET /clients/{client_id}', ClientView, { params: { client_id } });
}

/** What all pages of what can be done with a client have in common. */
export async function frame(
  place: Place,
): Promise<Pick<Asked, 'section' | 'crumb' | 'name' | 'back'> & { client: Client }> {
  const client = await findClient(place);
  return { client, section, crumb, name: nameOf(client), back: clientPath(client.client_id) };
}
