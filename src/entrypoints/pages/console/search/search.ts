import { type FoundKind, search } from '../../../../domain/search/index.ts';
import * as cell from '../../records/cells.ts';
import { addressOf } from '../../records/lists.ts';
import type { Cell } from '../../records/page-shapes.ts';
import { one } from '../../signed-in.ts';
import { keyPath } from '../api-keys/addresses.ts';
import { actionWords, eventPath } from '../audit-log/event.ts';
import { clientPath } from '../clients/client.ts';
import { consentPath } from '../consents/consent.ts';
import { grantPath } from '../grants/grant.ts';
import { type RequestContext, showInConsole } from '../request-context.ts';
import { apiPath } from '../resource-servers/resource-server.ts';
import { rolePath } from '../roles/role.ts';
import { trustPath } from '../trusts/trust.ts';
import { userPath } from '../users/user.ts';
import { webhookPath } from '../webhooks/webhook.ts';

type Found = FoundKind['items'][number];

/** How a kind is shown: its heading, the address of a record, and the list of all matches, if it can be searched. */
type ShownKind = { heading: string; page: (found: Found) => string; list?: string };

const kinds: Readonly<Record<FoundKind['kind'], ShownKind>> = {
  client: { heading: 'Clients', page: ({ id }) => clientPath(id), list: '/console/clients' },
  resource_server: { heading: 'APIs', page: ({ id }) => apiPath(id), list: '/console/apis' },
  trust: { heading: 'Trusts', page: ({ id }) => trustPath(id), list: '/console/trusts' },
  user: { heading: 'Users', page: ({ id }) => userPath(id), list: '/console/users' },
  role: { heading: 'Roles', page: ({ id }) => rolePath(id) },
  api_key: { heading: 'API keys', page: ({ id }) => keyPath(id), list: '/console/api-keys' },
  session: { heading: 'Sessions', page: ({ name }) => userPath(name) },
  consent: { heading: 'Consents', page: ({ id }) => consentPath(id) },
  grant: { heading: 'Grants', page: ({ id }) => grantPath(id) },
  webhook: { heading: 'Webhooks', page: ({ id }) => webhookPath(id) },
  audit_event: { heading: 'Audit events', page: ({ id }) => eventPath(id) },
};

const longest = 100;
const mostOfKind = 5;

/** Records of every kind that the user may read, found by one text. */
export async function showSearch(context: RequestContext): Promise<void> {
  const { deps, ctx, who } = context;
  const q = one(ctx.query.q).trim().slice(0, longest);
  const found = await search(deps, who.actor, { q, limit: mostOfKind });
  showInConsole(context, 'console-search', {
    q,
    groups: found.map(({ kind, items, has_more }) => {
      const { heading, list } = kinds[kind];
      return {
        heading,
        rows: items.map((item) => rowOf(kind, item)),
        all: has_more && list ? addressOf(list, { q }) : undefined,
      };
    }),
  });
}

function rowOf(kind: FoundKind['kind'], item: Found): Cell[] {
  const name = kind === 'audit_event' ? actionWords(item.name) : item.name;
  return [
    cell.link(name, kinds[kind].page(item)),
    item.detail === item.name ? cell.text('') : cell.text(item.detail ?? ''),
  ];
}
