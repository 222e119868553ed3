import type { Context } from 'koa';
import { z } from 'zod';
import {
  disconnectAccount,
  type LoginTrust,
  ProviderRefusal,
  providerName,
  recordRefusal,
} from '../../../domain/identity-providers/index.ts';
import { carriedState, carry } from '../../../domain/users/index.ts';
import { conflict, notFound, Problem, person, requestOrigin } from '../../../platform/http/index.ts';
import { csrfToken } from '../csrf.ts';
import { pagePaths } from '../page-data.ts';
import { type PagesDeps, textsFor, withMail } from '../pages.ts';
import type { Action, RequestContext } from '../records/actions.ts';
import * as cell from '../records/cells.ts';
import type { Panel } from '../records/page-shapes.ts';
import { sendToProvider } from '../sign-in/provider-round-trip.ts';
import { findLoginTrust } from '../sign-in/providers.ts';
import { ownPath } from '../sign-in/sign-in.ts';
import { type Here, one, type SignedIn } from '../signed-in.ts';
import { askedProof } from '../step-up.ts';
import { connections, namesOf } from './confirming-providers.ts';

const to = pagePaths.security;
const ticketPurpose = 'connect a provider';
const ticketSeconds = 10 * 60;
const Ticket = z.object({ user_id: z.uuid(), trust_id: z.uuid() });

/** The user's accounts at providers; nothing if there is no provider. */
export async function providersPanel({ deps, ctx, who }: RequestContext): Promise<Panel[]> {
  const { connected, others } = await connections(deps, who.user.id);
  if (connected.length + others.length === 0) return [];
  const { providers: t, security } = textsFor(deps, ctx);
  const columns = [t.provider, security.added, ''].map((label) => ({ label }));
  const rows = connected.map((account) => [
    cell.text(namesOf(account)),
    cell.time(account.created_at),
    cell.action(t.disconnect, `${to}/providers/${account.id}/disconnect`, namesOf(account)),
  ]);
  const actions = others.map((trust) => ({
    label: t.connectTo({ provider: providerName(trust) }),
    href: `${to}/providers/${trust.id}/connect`,
    danger: false,
  }));
  return [{ heading: t.title, intro: t.note, content: { kind: 'table', columns, rows, empty: t.none }, actions }];
}

function frame({ deps, ctx }: RequestContext) {
  const { providers: t, security } = textsFor(deps, ctx);
  return { t, framed: { crumb: { text: security.title, href: to }, name: '', back: to, impact: [], fields: [] } };
}

async function trustOf({ deps, params }: RequestContext): Promise<LoginTrust> {
  const trust = await findLoginTrust(deps, params.trust_id);
  if (!trust) throw notFound('identity provider', String(params.trust_id).slice(0, 64));
  return trust;
}

const connecting: Action<RequestContext> = {
  path: '/providers/:trust_id/connect',
  describe: async (context) => {
    const { t, framed } = frame(context);
    const trust = await trustOf(context);
    const provider = providerName(trust);
    const words = [t.connectNote({ provider, host: new URL(trust.issuer).host })];
    return { ...framed, heading: t.connectTo({ provider }), words, button: t.goOn, danger: false };
  },
  // A form may not redirect to another site; a link may.
  perform: async (context) => {
    const { deps, ctx, who } = context;
    const { t, framed } = frame(context);
    const trust = await trustOf(context);
    const provider = providerName(trust);
    const browser = csrfToken(deps, ctx);
    const state = { user_id: who.user.id, trust_id: trust.id };
    const ticket = carry(deps, { purpose: ticketPurpose, browser, seconds: ticketSeconds }, state);
    const href = `${to}/with/${trust.id}?ticket=${ticket}`;
    const facts = [{ label: t.provider, cell: cell.link(t.continueWith({ provider }), href) }];
    const { crumb, name } = framed;
    const words = [t.connectNext({ provider })];
    return { made: { crumb, name, heading: t.connectTo({ provider }), secret: undefined, words, snippets: [], facts } };
  },
};

const disconnecting: Action<RequestContext> = {
  path: '/providers/:identity_id/disconnect',
  describe: async (context) => {
    const { t, framed } = frame(context);
    const { connected } = await connections(context.deps, context.who.user.id);
    const found = connected.find(({ id }) => id === context.params.identity_id);
    if (!found) throw notFound('linked account', String(context.params.identity_id).slice(0, 64));
    const heading = t.disconnecting({ provider: namesOf(found) });
    const impact = [{ text: namesOf(found), words: t.disconnectImpact }];
    return { ...framed, impact, heading, words: [t.disconnectNote], button: t.disconnect, danger: true };
  },
  perform: async (context) => {
    const { deps, ctx, who, params } = context;
    const actor = person(who.user.id, requestOrigin(ctx));
    await disconnectAccount(withMail(deps), actor, String(params.identity_id)).catch((error: unknown) => {
      throw error instanceof Problem && error.type === 'conflict' ? conflict(frame(context).t.lastWay) : error;
    });
    return { to, done: 'provider-disconnected' };
  },
};

export const providerActions = [connecting, disconnecting];

/** Starts to connect an account, for the user who requested it on the page of sign-in methods. */
export async function startConnecting(deps: PagesDeps, ctx: Context, who: SignedIn): Promise<void> {
  const carried = carriedState(deps, { purpose: ticketPurpose, browser: csrfToken(deps, ctx) }, one(ctx.query.ticket));
  const ticket = Ticket.safeParse(carried).data;
  const isOwn = ticket?.user_id === who.user.id && ticket.trust_id === ctx.params.trust_id;
  await send(deps, ctx, who, isOwn ? { purpose: 'connect', return_to: to } : undefined);
}

/** Starts a confirmation with the provider that the user signed in with. */
export async function startConfirming(deps: PagesDeps, ctx: Context, who: SignedIn): Promise<void> {
  const proof = await askedProof(deps, ctx, who);
  // A user with a factor or password here confirms with that.
  const isAsked =
    proof.kind === 'provider' && proof.links.some(({ href }) => href.includes(`/${ctx.params.trust_id}?`));
  await send(deps, ctx, who, isAsked ? { purpose: 'confirm', return_to: ownPath(ctx.query.return_to) } : undefined);
}

type Purpose = { purpose: 'connect' | 'confirm'; return_to: string };

async function send(deps: PagesDeps, ctx: Context, { user, session }: Here, asked: Purpose | undefined): Promise<void> {
  const trust = asked && (await findLoginTrust(deps, ctx.params.trust_id));
  const refused = () => {
    ctx.status = 303;
    ctx.redirect(`${to}?done=provider-refused`);
  };
  if (!asked || !trust) return refused();
  const { purpose, return_to } = asked;
  const own = { user_id: user.id, session_uid: session.uid, purpose };
  const start = { interaction: null, return_to, is_fresh: purpose === 'confirm', own };
  try {
    await sendToProvider(deps, ctx, trust, start);
  } catch (error) {
    if (!(error instanceof ProviderRefusal)) throw error;
    await recordRefusal(deps, { trust, origin: requestOrigin(ctx) }, error.message);
    refused();
  }
}
