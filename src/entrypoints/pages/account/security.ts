import type Router from '@koa/router';
import { isAllowed } from '../../../domain/assurance/index.ts';
import {
  countRecoveryCodes,
  findOneTimeCodes,
  listPasskeys,
  type OneTimeCodes,
  type Passkey,
} from '../../../domain/users/index.ts';
import { relyingParty } from '../factors.ts';
import type { Catalogue } from '../languages/en.ts';
import { type PageData, pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show, textsFor } from '../pages.ts';
import { type ActionHost, actionRoutes, type RequestContext } from '../records/actions.ts';
import * as cell from '../records/cells.ts';
import { noticeAmong } from '../records/notices.ts';
import type { Panel } from '../records/page-shapes.ts';
import { own } from '../signed-in.ts';
import { browsersPanel, forgettingBrowser } from './browsers.ts';
import { factorActions } from './factor-actions.ts';
import { providerActions, providersPanel, startConfirming, startConnecting } from './provider-actions.ts';

/** A user's sign-in methods: passkeys, an authenticator app, recovery codes. Each change requires a fresh proof. */
export function accountSecurityRoutes(router: Router, deps: PagesDeps): void {
  const host: ActionHost<RequestContext> = {
    path: pagePaths.security,
    enter: (handle) => own(deps, async (_, ctx, who) => handle({ deps, ctx, who, params: ctx.params ?? {} })),
    admit: async () => {},
    showAction: (context, page, status) => showOwn(context, 'own-security-action', page, status),
    showMade: (context, page) => showOwn(context, 'own-security-made', page),
  };
  router.get(pagePaths.security, host.enter(showMethods));
  actionRoutes(router, host, [...factorActions, ...providerActions, forgettingBrowser]);
  router.get(`${pagePaths.security}/with/:trust_id`, own(deps, startConnecting));
  router.get(`${pagePaths.security}/confirm/:trust_id`, own(deps, startConfirming));
}

function showOwn<K extends 'own-security' | 'own-security-action' | 'own-security-made'>(
  { deps, ctx, who }: RequestContext,
  page: K,
  data: PageData[K],
  status = 200,
): void {
  show(deps, ctx, page, data, { status, signed_in_as: accountName(who.user) });
}

async function showMethods(context: RequestContext): Promise<void> {
  const { deps, ctx, who } = context;
  const { account, providers, security: t } = textsFor(deps, ctx);
  showOwn(context, 'own-security', {
    crumb: { text: account.title, href: pagePaths.account },
    name: t.title,
    badges: [],
    line: [cell.text(deps.config.mail && who.user.email ? t.introMail : t.intro)],
    notice: noticeAmong({ ...t.notices, ...providers.notices }, ctx),
    actions: [],
    tabs: [],
    panels: await panelsOf(context),
    aside: [],
    danger: [],
  });
}

async function panelsOf(context: RequestContext): Promise<Panel[]> {
  const { deps, ctx, who } = context;
  const { db } = deps;
  const texts = textsFor(deps, ctx);
  const policy = await deps.policy.current();
  const [passkeys, app, left] = await Promise.all([
    listPasskeys(db, who.user.id),
    findOneTimeCodes(db, who.user.id),
    countRecoveryCodes(db, who.user.id),
  ]);
  const password = { label: texts.security.changePassword, href: pagePaths.changePassword, danger: false };
  return [
    passkeysPanel(texts, passkeys, relyingParty(deps) !== undefined && isAllowed(policy, 'passkey')),
    appPanel(texts, app, isAllowed(policy, 'totp')),
    recoveryPanel(texts, left, passkeys.length > 0 || app !== undefined),
    { heading: texts.security.password, content: { kind: 'words', words: [] }, actions: [password] },
    ...(await browsersPanel(context)),
    ...(await providersPanel(context)),
  ];
}

const link = (label: string, path: string, danger = false) => ({ label, href: `${pagePaths.security}${path}`, danger });

function passkeysPanel({ records, security: t }: Catalogue, passkeys: Passkey[], canHave: boolean): Panel {
  const rows = passkeys.map(({ id, name, is_backed_up, created_at, last_used_at }) => [
    cell.text(name ?? ''),
    cell.text(is_backed_up ? t.synced : t.onDevice),
    cell.time(created_at),
    cell.time(last_used_at, records.never),
    cell.menu(name ?? '', [link(t.rename, `/passkeys/${id}/rename`), link(t.remove, `/passkeys/${id}/remove`, true)]),
  ]);
  const columns = [t.name, t.kept, t.added, t.lastUsed, ''].map((label) => ({ label }));
  return {
    heading: t.passkeys,
    intro: t.passkeysNote,
    content: { kind: 'table', columns, rows, empty: canHave ? t.noPasskeys : t.passkeysOff },
    actions: canHave ? [link(t.addPasskey, '/passkeys/new')] : [],
  };
}

function appPanel({ records, security: t }: Catalogue, app: OneTimeCodes | undefined, canHave: boolean): Panel {
  const framed = { heading: t.app, intro: t.appNote };
  const setUp = canHave ? [link(t.setUp, '/app/new')] : [];
  if (!app) return { ...framed, content: { kind: 'words', words: [t.noApp] }, actions: setUp };
  const facts = [
    { label: t.added, cell: cell.time(app.created_at) },
    { label: t.lastUsed, cell: cell.time(app.last_used_at, records.never) },
  ];
  return { ...framed, content: { kind: 'facts', facts }, actions: [link(t.remove, '/app/remove', true)] };
}

function recoveryPanel({ security: t }: Catalogue, left: number, hasFactor: boolean): Panel {
  const none = hasFactor ? t.noRecovery : t.recoveryLater;
  return {
    heading: t.recovery,
    intro: t.recoveryNote,
    content: { kind: 'words', words: [left > 0 ? t.recoveryLeft({ count: left }) : none] },
    actions: hasFactor ? [link(t.createCodes, '/recovery-codes/new')] : [],
  };
}
