import type { z } from 'zod';
import { asId } from '../../../../domain/access/index.ts';
import { listKeyNames } from '../../../../domain/api-keys/index.ts';
import type { EventView } from '../../../../domain/audit/index.ts';
import { listClientNames } from '../../../../domain/clients/index.ts';
import { findUser, listUsernames } from '../../../../domain/users/index.ts';
import * as cell from '../../records/cells.ts';
import type { Cell } from '../../records/page-shapes.ts';
import { shortId } from '../../words.ts';
import { keyPath } from '../api-keys/addresses.ts';
import { clientPath } from '../clients/client.ts';
import { consentPath } from '../consents/consent.ts';
import { grantPath } from '../grants/grant.ts';
import type { RequestContext } from '../request-context.ts';
import { apiPath } from '../resource-servers/resource-server.ts';
import { rolePath } from '../roles/role.ts';
import { secretPath } from '../secrets/addresses.ts';
import { trustPath } from '../trusts/trust.ts';
import { pathOfSubject } from '../users/user.ts';
import { webhookPath } from '../webhooks/webhook.ts';

export type Event = z.output<typeof EventView>;

/** The display names of the records in events, by kind and id. */
export type Names = ReadonlyMap<string, string>;

const nameKey = (kind: string, id: string) => `${kind} ${id}`;

type Deps = Pick<RequestContext, 'deps'>['deps'];

const namers: Readonly<Record<string, (db: Deps['db'], ids: string[]) => Promise<ReadonlyMap<string, string>>>> = {
  user: listUsernames,
  client: listClientNames,
  api_key: listKeyNames,
};

/** The actor of an event, and the credential that was used. */
type Parties = Pick<Event, 'actor_kind' | 'actor_id' | 'target_kind' | 'target_id'>;

/** The names in events, in one query for each kind. */
export async function namesIn({ deps }: Pick<RequestContext, 'deps'>, events: readonly Parties[]): Promise<Names> {
  const parties = events.flatMap(({ actor_kind, actor_id, target_kind, target_id }) => [
    { kind: actor_kind, id: actor_id },
    { kind: target_kind, id: target_id },
  ]);
  const found = await Promise.all(
    Object.entries(namers).map(async ([kind, namesOf]) => {
      const ids = new Set(parties.flatMap((party) => (party.kind === kind && party.id ? [party.id] : [])));
      // Events about an unknown subject contain the text that was typed.
      const known = [...ids].filter((id) => kind === 'client' || asId(id) === id);
      return [...(await namesOf(deps.db, known))].map(([id, name]) => [nameKey(kind, id), name] as const);
    }),
  );
  return new Map(found.flat());
}

const pages: Readonly<Record<string, (id: string) => string | undefined>> = {
  user: (id) => pathOfSubject(`id:${id}`),
  client: clientPath,
  api_key: keyPath,
  role: rolePath,
  resource_server: apiPath,
  consent: consentPath,
  grant: grantPath,
  webhook: webhookPath,
  trust: trustPath,
  // Lists are recorded by the beginning of the paths.
  secret: (id) => (id === '' || id.endsWith('/') ? undefined : secretPath(id)),
};

/** Kinds of records whose page address follows from their id; users, clients and keys need a name as well. */
const isNamed = (kind: string) => kind in namers;

const short = (id: string) => (asId(id) === id ? shortId(id) : id);

/** An actor or a target, as a link to its page. */
export function partyCell(kind: string | null, id: string | null, names: Names): Cell {
  if (kind === null) return cell.text('');
  if (id === null || id === '') return cell.text(kind);
  const name = names.get(nameKey(kind, id));
  const page = pages[kind]?.(id);
  if (page && (name !== undefined || !isNamed(kind))) return cell.link(name ?? short(id), page);
  // Ids of sessions are long, and would take the space of other columns.
  const shown = id.length > 24 ? shortId(id) : id;
  return cell.text(`${kind.replaceAll('_', ' ')} ${shown}`);
}

/** The value by which the filters of the audit log name an actor or a target. */
export function partyReference(kind: string, id: string): string {
  return kind === 'user' ? `id:${id}` : `${kind}:${id}`;
}

export type Party = { id?: string; kind?: string };

const userPrefixes = ['id', 'username', 'email'];

/**
 * The party that a text names. `client:…`, `api_key:…` and so on is an id as events of that kind contain it; an id alone is the same in
 * every kind; anything else is a username, and its id is searched for.
 */
export async function partyIn({ deps }: Pick<RequestContext, 'deps'>, text: string | undefined): Promise<Party> {
  if (text === undefined) return {};
  const [, kind, id] = /^([a-z_]+):(.+)$/.exec(text) ?? [];
  if (kind && id && !userPrefixes.includes(kind)) return { kind, id };
  if (!kind && asId(text) !== undefined) return { id: text };
  return { kind: 'user', id: (await findUser(deps.db, text))?.id ?? text };
}
