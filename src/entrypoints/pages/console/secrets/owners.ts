import * as cell from '../../records/cells.ts';
import type { Cell, Field } from '../../records/page-shapes.ts';
import type { FormInput } from '../actions.ts';
import { clientPath } from '../clients/client.ts';
import { clientSuggestions, userSuggestions } from '../pickers.ts';
import type { RequestContext } from '../request-context.ts';
import { pathOfSubject } from '../users/user.ts';
import type { Secret } from './secret.ts';

type Owner = NonNullable<Secret['owner']>;

const clientPrefix = 'client:';

/** The owner of a secret, as a link if the user may see the owner. */
export function ownerCell({ api }: RequestContext, owner: Owner | null): Cell {
  if (owner === null) return cell.text('');
  if ('client_id' in owner) {
    const { client_id } = owner;
    return api.may('GET /clients') ? cell.link(client_id, clientPath(client_id)) : cell.text(client_id);
  }
  return api.may('GET /users') ? cell.link(owner.user, pathOfSubject(owner.user)) : cell.text(owner.user);
}

export async function ownerField(context: RequestContext, owner: Owner | null): Promise<Field> {
  const clients = (await clientSuggestions(context)).map((client_id) => `${clientPrefix}${client_id}`);
  const value = owner === null ? '' : referenceTo(owner);
  return {
    ...{ name: 'owner', label: 'Owner', type: 'text', value },
    hint: 'Who is responsible for it: a username, or client: and a client ID.',
    suggestions: [...clients, ...(await userSuggestions(context))],
  };
}

const referenceTo = (owner: Owner) => ('client_id' in owner ? `${clientPrefix}${owner.client_id}` : owner.user);

/** Null: none. */
export function ownerIn(sent: FormInput): Owner | null {
  const owner = sent.text('owner');
  if (owner === undefined) return null;
  return owner.startsWith(clientPrefix) ? { client_id: owner.slice(clientPrefix.length) } : { user: owner };
}
