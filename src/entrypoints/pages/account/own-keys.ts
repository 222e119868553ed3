import type Router from '@koa/router';
import type { Context } from 'koa';
import { usesOfKey } from '../../../domain/activity/index.ts';
import {
  changeOwnKey,
  createOwnKey,
  disableOwnKey,
  enableOwnKey,
  getOwnKey,
  KeyInput,
  KeyParams,
  listOwnKeys,
  OwnKeysQuery,
  RotationInput,
  revokeOwnKey,
  rotateOwnKey,
  usageOfOwnKey,
  viewOf,
} from '../../../domain/api-keys/index.ts';
import { type Actor, alsoAs, checked, notFound, person, requestOrigin } from '../../../platform/http/index.ts';
import { adminPermissionsOf } from '../admin-permissions.ts';
import { creating } from '../keys/creating.ts';
import { heldRights, mustHoldSomething, rightOptions } from '../keys/held-rights.ts';
import { keyActions } from '../keys/key-actions.ts';
import { type Key, type KeyContext, type KeyOperations, shortOf } from '../keys/key-context.ts';
import { actionLinks, keyFilters, keyPage, stateCell } from '../keys/key-page.ts';
import type { Catalogue } from '../languages/en.ts';
import { type PageData, pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show, textsFor } from '../pages.ts';
import { type Action, type ActionHost, actionRoutes, type RequestContext } from '../records/actions.ts';
import * as cell from '../records/cells.ts';
import { type Listing, listPage, type Rows } from '../records/lists.ts';
import type { Cell } from '../records/page-shapes.ts';
import { own, pageNumber, type SignedIn } from '../signed-in.ts';

const perPage = 20;
const daysOfUsage = 30;
const mostRightsInALine = 3;

/** A user's own API keys: they create, rotate and revoke them themselves, within their permissions. */
export function accountKeyRoutes(router: Router, deps: PagesDeps): void {
  router.get(pagePaths.keys, own(deps, showKeys));
  const host: ActionHost<KeyContext> = {
    path: pagePaths.keys,
    enter: (handle) => own(deps, async (_, ctx, who) => handle(await ownKeys(deps, ctx, who))),
    admit: async () => {},
    showAction: (context, page, status) => showOwn(context, 'own-key-action', page, status),
    showMade: (context, page) => showOwn(context, 'own-key-made', page),
  };
  const actions: Action<KeyContext>[] = [creating('/new'), ...Object.values(keyActions)];
  actionRoutes(router, host, actions);
  router.get(
    `${pagePaths.keys}/:key_id`,
    host.enter(async (context) => showOwn(context, 'own-key', await keyPage(context))),
  );
}

function showOwn<K extends 'own-key-list' | 'own-key' | 'own-key-action' | 'own-key-made'>(
  { deps, ctx, who }: RequestContext,
  page: K,
  data: PageData[K],
  status = 200,
): void {
  show(deps, ctx, page, data, { status, signed_in_as: accountName(who.user) });
}

/** The user as the actor on their own keys, with their permissions at the admin API; `mustHold` reads the others itself. */
async function ownerOf(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<Actor> {
  return { ...person(user.id, requestOrigin(ctx)), permissions: await adminPermissionsOf(deps, user.id) };
}

const keyDeps = ({ db, now, config }: PagesDeps) => ({ db, now, environments: config.apiKeyEnvironments });

async function ownKeys(deps: PagesDeps, ctx: Context, who: SignedIn): Promise<KeyContext> {
  const actor = await ownerOf(deps, ctx, who);
  const texts = textsFor(deps, ctx);
  const crumb = { text: texts.keys.title, href: pagePaths.keys };
  return {
    ...{ deps, ctx, who, params: ctx.params ?? {}, crumb, texts },
    keys: operationsOf(deps, actor),
    pathOf: (id) => `${pagePaths.keys}/${encodeURIComponent(id)}`,
    may: () => true,
    ownerFacts: () => [],
    choices: async () => rightOptions(deps, mustHoldSomething(deps, await heldRights(deps, actor), texts), texts),
    roles: async () => [],
    apis: async () => [],
    owners: async () => ({ users: [], clients: [] }),
    activity: async () => [],
    isOwn: true,
  };
}

function operationsOf(deps: PagesDeps, actor: Actor): KeyOperations {
  const keys = keyDeps(deps);
  return {
    get: async (id) => viewOf(deps, await getOwnKey(keys, actor, idIn(id))),
    uses: async (id) => {
      const key = await getOwnKey(keys, actor, idIn(id));
      return usesOfKey(deps, { id: key.id, days: daysOfUsage });
    },
    usage: (id) => usageOfOwnKey(keys, actor, { id: idIn(id), days: daysOfUsage }),
    create: async (input) => {
      const { key, ...made } = await createOwnKey(keys, actor, checked(KeyInput, input));
      return { ...viewOf(deps, made), key };
    },
    change: (id, patch, ifVersion) => changeOwnKey(keys, actor, { id: idIn(id), patch, ifVersion }),
    rotate: async (id, input) =>
      alsoAs('previous_ends_at', await rotateOwnKey(keys, actor, { id: idIn(id), ...checked(RotationInput, input) })),
    disable: (id) => disableOwnKey(keys, actor, idIn(id)),
    enable: (id) => enableOwnKey(keys, actor, idIn(id)),
    revoke: (id) => revokeOwnKey(keys, actor, idIn(id)),
  };
}

/** An address without a key gets the same response as one without a page. */
function idIn(key_id: string): string {
  if (!KeyParams.safeParse({ key_id }).success) throw notFound('API key', key_id.slice(0, 64));
  return key_id;
}

async function showKeys(deps: PagesDeps, ctx: Context, who: SignedIn): Promise<void> {
  const actor = await ownerOf(deps, ctx, who);
  const context = await ownKeys(deps, ctx, who);
  const mayCreate = (await heldRights(deps, actor)).length > 0;
  const { texts } = context;
  const t = texts.keys;
  const list: Listing & { path: string; texts: Catalogue } = {
    texts,
    path: pagePaths.keys,
    heading: t.title,
    intro: t.intro,
    noun: 'API key',
    icon: 'key',
    columns: [
      { label: t.name, sort: 'name' },
      { label: t.environment },
      { label: t.permissions },
      { label: t.state },
      { label: t.expires, sort: 'expires_at' },
      { label: t.lastUsed, sort: '-last_used_at' },
      { label: '' },
    ],
    sort: '-created_at',
    search: t.search,
    filters: keyFilters(deps.config.apiKeyEnvironments, texts),
    empty: {
      heading: t.empty,
      words: mayCreate ? t.emptyNote : t.nothingHeld({ brand: deps.config.brandName }),
    },
  };
  const page = await listPage(ctx, list, (query) => readKeys(context, actor, query));
  const create = {
    label: t.create,
    href: `${pagePaths.keys}/new`,
    danger: false,
  };
  const data = { ...page, actions: mayCreate ? [create] : [] };
  show(deps, ctx, 'own-key-list', data, { status: page.problem ? 400 : 200, signed_in_as: accountName(who.user) });
}

async function readKeys(
  context: KeyContext,
  actor: Actor,
  { cursor, ...query }: Record<string, string>,
): Promise<Rows> {
  const { deps } = context;
  const page = pageNumber(cursor);
  const { q, ...filter } = checked(OwnKeysQuery, query);
  const found = await listOwnKeys(keyDeps(deps), actor, {
    ...filter,
    ...(q !== undefined && { q }),
    offset: (page - 1) * perPage,
    limit: perPage + 1,
  });
  const rows = found.slice(0, perPage).map((key) => rowOf(context, viewOf(deps, key)));
  return {
    rows,
    next: found.length > perPage ? String(page + 1) : null,
    previous: page > 1 ? String(page - 1) : null,
  };
}

function rowOf(context: KeyContext, key: Key): Cell[] {
  const { texts } = context;
  return [
    cell.link(key.name, `${pagePaths.keys}/${key.id}`, shortOf(key)),
    cell.text(key.environment),
    cell.codes(someOf(texts, patternsOf(texts, key)), texts.records.none),
    stateCell(key, context),
    cell.time(key.revoked_at ?? key.expires_at, texts.records.never),
    cell.time(key.last_used_at, texts.records.never),
    cell.menu(key.name, actionLinks(context, key)),
  ];
}

/** Its permissions without their APIs, which its own page names. */
function patternsOf({ keys }: Catalogue, { permissions, roles }: Key): string[] {
  return [...new Set([...permissions.map(({ pattern }) => pattern), ...roles.map((role) => keys.role({ role }))])];
}

function someOf({ keys }: Catalogue, lines: readonly string[]): string[] {
  const some = lines.slice(0, mostRightsInALine);
  return lines.length > some.length ? [...some, keys.more({ count: lines.length - some.length })] : some;
}
