import { renderSVG } from 'uqr';
import {
  addOneTimeCodes,
  addPasskey,
  carriedState,
  carry,
  codeUri,
  findOneTimeCodes,
  generateCodeSecret,
  listPasskeys,
  madePasskey,
  nameOwnPasskey,
  passkeyCreation,
  removeFactor,
  replaceRecoveryCodes,
} from '../../../domain/users/index.ts';
import { form, invalid, notFound, person, requestOrigin, ShownText } from '../../../platform/http/index.ts';
import { csrfToken } from '../csrf.ts';
import { factorDeps, relyingParty } from '../factors.ts';
import { pagePaths } from '../page-data.ts';
import { accountName, textsFor } from '../pages.ts';
import type { Action, RequestContext } from '../records/actions.ts';
import type { Field } from '../records/page-shapes.ts';

const to = pagePaths.security;
const longestName = 64;
const PasskeyName = ShownText(longestName);

const actorOf = ({ ctx, who }: RequestContext) => person(who.user.id, requestOrigin(ctx));

function frame({ deps, ctx }: RequestContext) {
  const t = textsFor(deps, ctx).security;
  const nothing = { impact: [], fields: [] as Field[], danger: false };
  return { t, framed: { crumb: { text: t.title, href: to }, name: '', back: to, ...nothing } };
}

function nameField({ deps, ctx }: RequestContext, value: string): Field {
  const t = textsFor(deps, ctx).security;
  return { name: 'name', label: t.passkeyName, type: 'text', value, hint: t.passkeyNameHint, is_required: true };
}

function nameIn(text: string | undefined): string {
  const name = PasskeyName.safeParse(text ?? '');
  if (!name.success) throw invalid('/name', `must be 1 to ${longestName} characters that can be shown`);
  return name.data;
}

const addingPasskey: Action<RequestContext> = {
  path: '/passkeys/new',
  confirmsFirst: true,
  addsFactor: true,
  describe: async (context) => {
    const { deps, ctx, who } = context;
    const { t, framed } = frame(context);
    const rp = relyingParty(deps);
    if (!rp) throw notFound('page', t.addPasskey);
    const present = await listPasskeys(deps.db, who.user.id);
    const input = { browser: csrfToken(deps, ctx), user: who.user, present };
    const passkey = JSON.stringify(await passkeyCreation(factorDeps(deps), rp, input));
    const fields = [nameField(context, '')];
    return { ...framed, heading: t.addPasskey, words: [t.addPasskeyNote], fields, button: t.addPasskey, passkey };
  },
  perform: async (context, sent) => {
    const { deps, ctx } = context;
    const rp = relyingParty(deps);
    const name = nameIn(sent.text('name'));
    const input = { browser: csrfToken(deps, ctx), answer: sent.text('passkey') ?? '' };
    const passkey = rp && (await madePasskey(factorDeps(deps), rp, input));
    if (!passkey) throw invalid('', frame(context).t.passkeyRefused);
    await addPasskey(factorDeps(deps), actorOf(context), { name, passkey });
    return { to, done: 'passkey-added' };
  },
};

async function passkeyOf({ deps, who, params }: RequestContext) {
  const passkey = (await listPasskeys(deps.db, who.user.id)).find(({ id }) => id === params.id);
  if (!passkey) throw notFound('passkey', String(params.id).slice(0, 64));
  return { id: passkey.id, name: passkey.name ?? '' };
}

const renamingPasskey: Action<RequestContext> = {
  path: '/passkeys/:id/rename',
  describe: async (context) => {
    const { t, framed } = frame(context);
    const { name } = await passkeyOf(context);
    return { ...framed, heading: t.renaming({ name }), words: [], fields: [nameField(context, name)], button: t.save };
  },
  perform: async (context, sent) => {
    const { id } = await passkeyOf(context);
    await nameOwnPasskey(factorDeps(context.deps), actorOf(context), { id, name: nameIn(sent.text('name')) });
    return { to, done: 'passkey-renamed' };
  },
};

/** The consequences of the removal depend on the user's other sign-in methods. */
async function isLast({ deps, who }: RequestContext): Promise<boolean> {
  const [passkeys, app] = await Promise.all([
    listPasskeys(deps.db, who.user.id),
    findOneTimeCodes(deps.db, who.user.id),
  ]);
  return passkeys.length + (app ? 1 : 0) === 1;
}

const removingPasskey: Action<RequestContext> = {
  path: '/passkeys/:id/remove',
  describe: async (context) => {
    const { t, framed } = frame(context);
    const { name } = await passkeyOf(context);
    const words = [t.removeNote, ...((await isLast(context)) ? [t.lastNote] : [])];
    return { ...framed, heading: t.removing({ name }), words, button: t.removeSubmit, danger: true };
  },
  perform: async (context) => {
    await removeFactor(factorDeps(context.deps), actorOf(context), (await passkeyOf(context)).id);
    return { to, done: 'method-removed' };
  },
};

const setUpPurpose = 'authenticator app';
const setUpSeconds = 30 * 60;

/** The secret of the form that was sent; undefined: it is shown for the first time, or was open for too long. */
function sentSecret({ deps, ctx }: RequestContext): string | undefined {
  const pending = ctx.method === 'POST' ? (form(ctx).get('pending') ?? '') : '';
  const state = carriedState(deps, { purpose: setUpPurpose, browser: csrfToken(deps, ctx) }, pending);
  return typeof state === 'string' ? state : undefined;
}

const settingUpApp: Action<RequestContext> = {
  path: '/app/new',
  confirmsFirst: true,
  addsFactor: true,
  describe: async (context) => {
    const { deps, ctx, who } = context;
    const { t, framed } = frame(context);
    const secret = sentSecret(context) ?? (await generateCodeSecret());
    const carried = { purpose: setUpPurpose, browser: csrfToken(deps, ctx), seconds: setUpSeconds };
    const uri = await codeUri(secret, { brand: deps.config.brandName, account: accountName(who.user) });
    const shownSecret = secret.replaceAll(/(.{4})(?=.)/g, '$1 ');
    return {
      ...framed,
      heading: t.setUp,
      words: [t.setUpNote, `${t.key}: ${shownSecret}`],
      picture: renderSVG(uri, { border: 2 }),
      hidden: { pending: carry(deps, carried, secret) },
      fields: [{ name: 'code', label: t.code, type: 'text', value: '', hint: t.codeHint, is_required: true }],
      button: t.setUpSubmit,
    };
  },
  perform: async (context, sent) => {
    const secret = sentSecret(context);
    if (!secret) throw invalid('', frame(context).t.setUpExpired);
    await addOneTimeCodes(factorDeps(context.deps), actorOf(context), { secret, code: sent.text('code') ?? '' });
    return { to, done: 'app-added' };
  },
};

const removingApp: Action<RequestContext> = {
  path: '/app/remove',
  describe: async (context) => {
    const { t, framed } = frame(context);
    const words = [t.removeNote, ...((await isLast(context)) ? [t.lastNote] : [])];
    return { ...framed, heading: t.removingApp, words, button: t.removeSubmit, danger: true };
  },
  perform: async (context) => {
    const app = await findOneTimeCodes(context.deps.db, context.who.user.id);
    if (!app) throw notFound('authenticator app', '');
    await removeFactor(factorDeps(context.deps), actorOf(context), app.id);
    return { to, done: 'method-removed' };
  },
};

const creatingCodes: Action<RequestContext> = {
  path: '/recovery-codes/new',
  describe: async (context) => {
    const { t, framed } = frame(context);
    return {
      ...framed,
      heading: t.createCodes,
      words: [t.recoveryNote, t.createCodesNote],
      button: t.createCodesSubmit,
    };
  },
  perform: async (context) => {
    const { t, framed } = frame(context);
    const codes = await replaceRecoveryCodes(factorDeps(context.deps), actorOf(context));
    const snippets = [{ label: t.recovery, text: codes.join('\n') }];
    const made = { heading: t.codesMade, name: '', secret: undefined, words: [t.codesMadeNote], snippets, facts: [] };
    return { made: { crumb: framed.crumb, ...made } };
  },
};

/** The changes that users can make to their sign-in methods, except the password. */
export const factorActions = [
  addingPasskey,
  renamingPasskey,
  removingPasskey,
  settingUpApp,
  removingApp,
  creatingCodes,
];
