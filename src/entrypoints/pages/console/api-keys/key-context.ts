import { KeyView, MintedKeyView, RotatedKeyView, UsageView } from '../../../../domain/api-keys/index.ts';
import type { Key, KeyContext, KeyOperations, KeyVerb } from '../../keys/key-context.ts';
import * as cell from '../../records/cells.ts';
import type { Fact } from '../../records/page-shapes.ts';
import type { AdminCalls, RouteName } from '../admin-client.ts';
import type { RequestContext } from '../request-context.ts';

export const keyPath = (id: string) => `/console/api-keys/${encodeURIComponent(id)}`;

/** With which route of the admin API a key is dealt with. */
export const keyRoutes = {
  change: 'PATCH /api-keys/{key_id}',
  rotate: 'POST /api-keys/{key_id}/rotate',
  disable: 'POST /api-keys/{key_id}/disable',
  enable: 'POST /api-keys/{key_id}/enable',
  revoke: 'POST /api-keys/{key_id}/revoke',
} as const satisfies Record<KeyVerb, RouteName>;

/** Everybody's keys, as this administrator may deal with them. */
export function withKeys(context: RequestContext): KeyContext {
  const { calls } = context;
  const may = (verb: KeyVerb) => calls.may(keyRoutes[verb]);
  const ownerFacts = (key: Key) => [ownerFact(context, key)];
  const held = async () => [];
  return { ...context, keys: operationsOf(calls), pathOf: keyPath, may, ownerFacts, held, isOwn: false };
}

function operationsOf(calls: AdminCalls): KeyOperations {
  const of = (key_id: string) => ({ params: { key_id } });
  return {
    get: (id) => calls.read('GET /api-keys/{key_id}', KeyView, of(id)),
    usage: (id) => calls.read('GET /api-keys/{key_id}/usage', UsageView, of(id)),
    mint: (body) => calls.read('POST /api-keys', MintedKeyView, { body }),
    change: (id, body, ifVersion) => calls.act(keyRoutes.change, { ...of(id), body, ifVersion }),
    rotate: (id, body) => calls.read(keyRoutes.rotate, RotatedKeyView, { ...of(id), body }),
    disable: (id) => calls.act(keyRoutes.disable, of(id)),
    enable: (id) => calls.act(keyRoutes.enable, of(id)),
    revoke: (id) => calls.act(keyRoutes.revoke, of(id)),
  };
}

function ownerFact({ calls }: RequestContext, { owner: { kind, name } }: Key): Fact {
  const [route, path] =
    kind === 'client' ? (['GET /clients', '/console/clients'] as const) : (['GET /users', '/console/people'] as const);
  const owner = calls.may(route) ? cell.link(name, `${path}/${encodeURIComponent(name)}`) : cell.text(name);
  return { label: 'Owner', cell: owner };
}
