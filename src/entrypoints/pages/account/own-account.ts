import type Router from '@koa/router';
import type { Context } from 'koa';
import { revocationImpact } from '../../../domain/revocation/index.ts';
import { deleteOwnAccount, requestEmailChange } from '../../../domain/users/index.ts';
import { person, requestOrigin } from '../../../platform/http/index.ts';
import { pagePaths } from '../page-data.ts';
import { accountName, type PagesDeps, show, textsFor, withMail } from '../pages.ts';
import { type Action, type ActionHost, actionRoutes, type RequestContext } from '../records/actions.ts';
import { own } from '../signed-in.ts';

/** Changes of users to their own account, after a fresh proof. */
export function ownAccountRoutes(router: Router, deps: PagesDeps): void {
  const host: ActionHost<RequestContext> = {
    path: pagePaths.account,
    enter: (handle) => own(deps, async (_, ctx: Context, who) => handle({ deps, ctx, who, params: ctx.params ?? {} })),
    admit: async () => {},
    showAction: ({ ctx, who }, page, status) =>
      show(deps, ctx, 'own-account-action', page, { status, signed_in_as: accountName(who.user) }),
    showMade: () => {
      throw new Error('these actions make no secret');
    },
  };
  actionRoutes(router, host, [changingEmail, deletingAccount]);
}

function frame({ deps, ctx }: RequestContext) {
  const texts = textsFor(deps, ctx);
  const crumb = { text: texts.account.title, href: pagePaths.account };
  return { texts: texts.ownAccount, framed: { crumb, name: '', back: pagePaths.account } };
}

const changingEmail: Action<RequestContext> = {
  path: '/email',
  describe: async (context) => {
    const { texts: t, framed } = frame(context);
    const { email } = context.who.user;
    const canMail = context.deps.config.mail !== undefined;
    return {
      ...framed,
      heading: t.email,
      words: [email ? t.emailNow({ email }) : t.emailNone, canMail ? t.emailNote : t.emailNoMail],
      impact: [],
      fields: canMail ? [{ name: 'email', label: t.emailNew, type: 'text', value: '', is_required: true }] : [],
      button: canMail ? t.emailSubmit : undefined,
      danger: false,
    };
  },
  perform: async ({ deps, ctx, who }, sent) => {
    const actor = person(who.user.id, requestOrigin(ctx));
    await requestEmailChange(withMail(deps), actor, { user_id: who.user.id, email: sent.text('email') ?? '' });
    return { to: pagePaths.account, done: 'email-requested' };
  },
};

const deletingAccount: Action<RequestContext> = {
  path: '/delete',
  describe: async (context) => {
    const { texts: t, framed } = frame(context);
    const { deps, who } = context;
    const live = await revocationImpact(deps, { user: `id:${who.user.id}` });
    const impact = [
      { text: t.deleteSessions({ count: live.sessions }), words: t.deleteSessionsNote },
      { text: t.deleteApps({ count: live.refresh_families }), words: t.deleteAppsNote },
      { text: t.deleteKeys, words: t.deleteKeysNote },
      { text: t.deleteDetails, words: t.deleteDetailsNote },
    ];
    return {
      ...framed,
      heading: t.deleteHeading({ brand: deps.config.brandName }),
      words: [t.deleteNote],
      impact,
      fields: [],
      button: t.deleteSubmit,
      danger: true,
    };
  },
  perform: async ({ deps, ctx, who }) => {
    await deleteOwnAccount(withMail(deps), requestOrigin(ctx), who.user.id);
    return { to: pagePaths.home, done: 'account-deleted' };
  },
};
