import type Router from '@koa/router';
import type { Context } from 'koa';
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
import { minting } from '../keys/forms.ts';
import { heldRights, mustHoldSomething, nothingHeld, rightOptions } from '../keys/held-rights.ts';
import { keyActions } from '../keys/key-actions.ts';
import { type Key, type KeyContext, type KeyOperations, shortOf } from '../keys/key-context.ts';
import { keyFilters, keyPage, states } from '../keys/key-page.ts';
import { type PageData, pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show } from '../pages.ts';
import { type Action, type ActionHost, actionRoutes, type RequestContext } from '../records/actions.ts';
import * as cell from '../records/cells.ts';
import { listPage, type Rows } from '../records/lists.ts';
import type { Cell } from '../records/page-shapes.ts';
import { own, pageNumber, type SignedIn } from '../signed-in.ts';

const perPage = 20;
const daysOfUsage = 30;
const mostRightsInALine = 3;

/** A person's own API keys: they mint, rotate and end them themselves, within what they may. */
export function accountKeyRoutes(router: Router, deps: PagesDeps): void {
  router.get(pagePaths.keys, own(deps, showKeys));
  const host: ActionHost<KeyContext> = {
    path: pagePaths.keys,
    enter: (handle) => own(deps, async (_, ctx, who) => handle(await ownKeys(deps, ctx, who))),
    admit: async () => {},
    showAction: (context, page, status) => showOwn(context, 'own-key-action', page, status),
    showMade: (context, page) => showOwn(context, 'own-key-made', page),
  };
  const actions: Action<KeyContext>[] = [minting('/new'), ...Object.values(keyActions)];
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

/** Who acts on their own keys, with what they may at the admin API; what else they hold, `mustHold` reads itself. */
async function ownerOf(deps: PagesDeps, ctx: Context, { user }: SignedIn): Promise<Actor> {
  return { ...person(user.id, requestOrigin(ctx)), permissions: await adminPermissionsOf(deps, user.id) };
}

const keyDeps = ({ db, now, config }: PagesDeps) => ({ db, now, environments: config.apiKeyEnvironments });

async function ownKeys(deps: PagesDeps, ctx: Context, who: SignedIn): Promise<KeyContext> {
  const actor = await ownerOf(deps, ctx, who);
  const crumb = { text: 'Your API keys', href: pagePaths.keys };
  return {
    ...{ deps, ctx, who, params: ctx.params ?? {}, crumb },
    keys: operationsOf(deps, actor),
    pathOf: (id) => `${pagePaths.keys}/${encodeURIComponent(id)}`,
    may: () => true,
    ownerFacts: () => [],
    held: async () => rightOptions(deps, mustHoldSomething(deps, await heldRights(deps, actor))),
    isOwn: true,
  };
}

function operationsOf(deps: PagesDeps, actor: Actor): KeyOperations {
  const rooms = keyDeps(deps);
  return {
    get: async (id) => viewOf(deps, await getOwnKey(rooms, actor, idIn(id))),
    usage: (id) => usageOfOwnKey(rooms, actor, { id: idIn(id), days: daysOfUsage }),
    mint: async (input) => {
      const { key, ...made } = await createOwnKey(rooms, actor, checked(KeyInput, input));
      return { ...viewOf(deps, made), key };
    },
    change: (id, patch, ifVersion) => changeOwnKey(rooms, actor, { id: idIn(id), patch, ifVersion }),
    rotate: async (id, input) =>
      alsoAs('previous_ends_at', await rotateOwnKey(rooms, actor, { id: idIn(id), ...checked(RotationInput, input) })),
    disable: (id) => disableOwnKey(rooms, actor, idIn(id)),
    enable: (id) => enableOwnKey(rooms, actor, idIn(id)),
    revoke: (id) => revokeOwnKey(rooms, actor, idIn(id)),
  };
}

/** An address that names no key could be one at which nothing is. */
function idIn(key_id: string): string {
  if (!KeyParams.safeParse({ key_id }).success) throw notFound('API key', key_id.slice(0, 64));
  return key_id;
}

async function showKeys(deps: PagesDeps, ctx: Context, who: SignedIn): Promise<void> {
  const actor = await ownerOf(deps, ctx, who);
  const mayMint = (await heldRights(deps, actor)).length > 0;
  const list = {
    path: pagePaths.keys,
    heading: 'Which API keys do you have?',
    intro: mayMint
      ? 'With a key a program of yours calls APIs in your name. It may never more than you may.'
      : nothingHeld(deps.config.brandName),
    columns: ['Name', 'Environment', 'It may', 'State', 'Ends', 'Last used'],
    search: 'Name, description or how it starts',
    filters: keyFilters(deps.config.apiKeyEnvironments),
    sorts: [
      { value: '-created_at', text: 'newest' },
      { value: 'name', text: 'name' },
      { value: '-last_used_at', text: 'last used' },
      { value: 'expires_at', text: 'ends next' },
    ],
    empty: mayMint ? 'You have no API key yet. Mint one when a program of yours needs it.' : 'You have no API key.',
  };
  const page = await listPage(ctx, list, (query) => readKeys(deps, actor, query));
  const mint = { label: 'Mint a key', href: `${pagePaths.keys}/new`, danger: false, words: 'For a program of yours' };
  const data = { ...page, actions: mayMint ? [mint] : [] };
  show(deps, ctx, 'own-key-list', data, { status: page.problem ? 400 : 200, signed_in_as: accountName(who.user) });
}

async function readKeys(deps: PagesDeps, actor: Actor, { cursor, ...query }: Record<string, string>): Promise<Rows> {
  const page = pageNumber(cursor);
  const { q, ...filter } = checked(OwnKeysQuery, query);
  const found = await listOwnKeys(keyDeps(deps), actor, {
    ...filter,
    ...(q !== undefined && { q }),
    offset: (page - 1) * perPage,
    limit: perPage + 1,
  });
  const rows = found.slice(0, perPage).map((key) => rowOf(viewOf(deps, key)));
  return { rows, next: found.length > perPage ? String(page + 1) : null };
}

function rowOf(key: Key): Cell[] {
  return [
    cell.link(key.name, `${pagePaths.keys}/${key.id}`, shortOf(key)),
    cell.text(key.environment),
    cell.codes(someOf(patternsOf(key)), 'nothing'),
    states[key.state].cell,
    cell.time(key.revoked_at ?? key.expires_at),
    cell.time(key.last_used_at),
  ];
}

/** What it may, without where: that is said on its own page. */
function patternsOf({ permissions, roles }: Key): string[] {
  return [...new Set([...permissions.map(({ pattern }) => pattern), ...roles.map((role) => `role ${role}`)])];
}

function someOf(lines: readonly string[]): string[] {
  const some = lines.slice(0, mostRightsInALine);
  return lines.length > some.length ? [...some, `and ${lines.length - some.length} more`] : some;
}
