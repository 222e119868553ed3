import { revocationImpact } from '../../../../domain/revocation/index.ts';
import * as cell from '../../records/cells.ts';
import type { Action } from '../actions.ts';
import { impactOf, withImpact } from '../impact.ts';
import { ownerActions } from '../owner-actions.ts';
import type { RequestContext } from '../request-context.ts';
import { roleActionsOf } from '../roles/assignments.ts';
import { identityActions } from './identities.ts';
import { madeEnrolmentLink, madeLink, madePassword } from './new-secrets.ts';
import { adding, mailLanguageField } from './new-user.ts';
import { getUser, nameOf, pathOfSubject, userPath } from './user.ts';

async function frame(context: RequestContext) {
  const user = await getUser(context);
  const framed = { crumb: context.crumb, name: nameOf(user), back: userPath(user.username) };
  return { user, framed };
}

const changing: Action = {
  path: '/users/:subject/change',
  route: 'PATCH /users/{user}',
  describe: async (context) => {
    const { user, framed } = await frame(context);
    return {
      ...framed,
      heading: `Edit ${framed.name}`,
      words: [],
      impact: [],
      fields: [
        { name: 'name', label: 'Name', type: 'text', value: user.name ?? '' },
        { name: 'email', label: 'E-mail', type: 'text', value: user.email ?? '', hint: 'They can sign in with it.' },
        mailLanguageField(user.language),
      ],
      button: 'Save user',
      danger: false,
      version: user.version,
      present: [
        { label: 'Name', cell: cell.text(user.name ?? 'None') },
        { label: 'E-mail', cell: cell.text(user.email ?? 'None') },
        { label: 'Language of e-mail', cell: cell.text(user.language ?? 'Automatic') },
      ],
    };
  },
  perform: async ({ api, params: { subject = '' } }, sent) => {
    const [name, email, language] = ['name', 'email', 'language'].map((field) => sent.text(field) ?? null);
    const body = { name, email, language };
    await api.call('PATCH /users/{user}', { params: { user: subject }, body, ifVersion: sent.version });
    return { to: pathOfSubject(subject), done: 'saved' };
  },
};

const verifyingEmail: Action = {
  path: '/users/:subject/verify-email',
  route: 'POST /users/{user}/verify-email',
  describe: async (context) => {
    const { user, framed } = await frame(context);
    return {
      ...framed,
      heading: `Mark the e-mail address of ${framed.name} as verified?`,
      words: [
        'Apps that trust verified addresses sign in anyone with such an address. Confirm only an address that you know is theirs.',
      ],
      impact: [],
      fields: [
        {
          name: 'email',
          label: 'E-mail address that you verified',
          type: 'text',
          value: user.email ?? '',
          is_required: true,
        },
      ],
      button: 'Mark as verified',
      danger: false,
    };
  },
  perform: async ({ api, params: { subject = '' } }, sent) => {
    const body = { email: sent.text('email') ?? '' };
    await api.call('POST /users/{user}/verify-email', { params: { user: subject }, body });
    return { to: pathOfSubject(subject), done: 'saved' };
  },
};

const unverifyingEmail: Action = {
  path: '/users/:subject/unverify-email',
  route: 'POST /users/{user}/unverify-email',
  describe: async (context) => {
    const { framed } = await frame(context);
    return {
      ...framed,
      heading: `Mark the e-mail address of ${framed.name} as not verified?`,
      words: ['Apps that accept only verified addresses refuse them from their next sign-in.'],
      impact: [],
      fields: [],
      button: 'Mark as not verified',
      danger: false,
    };
  },
  perform: async ({ api, params: { subject = '' } }) => {
    await api.call('POST /users/{user}/unverify-email', { params: { user: subject } });
    return { to: pathOfSubject(subject), done: 'saved' };
  },
};

const settingPassword: Action = {
  path: '/users/:subject/password',
  route: 'POST /users/{user}/password',
  describe: async (context) => {
    const { user, framed } = await frame(context);
    const { api_keys: _, ...ended } = await revocationImpact(context.deps, { user: `id:${user.id}` });
    return {
      ...framed,
      heading: `Set a temporary password for ${framed.name}?`,
      words: [
        'The password is generated and shown to you once, on the next page. Their present password is refused from now on.',
      ],
      impact: impactOf(ended),
      fields: [],
      button: withImpact('Set password', ended),
      danger: true,
    };
  },
  perform: async (context) => {
    const user = await getUser(context);
    const given = { params: { user: `id:${user.id}` } };
    const { password = '' } = await context.api.call('POST /users/{user}/password', given);
    return madePassword(user, { heading: 'Temporary password', password });
  },
};

const linking: Action = {
  path: '/users/:subject/password-link',
  route: 'POST /users/{user}/password-link',
  describe: async (context) => {
    const { user, framed } = await frame(context);
    const sentTo =
      context.deps.config.mail && user.email
        ? `It is sent to ${user.email}.`
        : 'It is shown on the next page, for you to pass on.';
    return {
      ...framed,
      heading: `Send a password reset link to ${framed.name}?`,
      words: [`The link works once. ${sentTo} Their present password stays until they use it.`],
      impact: [],
      fields: [],
      button: context.deps.config.mail && user.email ? 'Send link' : 'Create link',
      danger: false,
    };
  },
  perform: async (context) => {
    const user = await getUser(context);
    const given = { params: { user: `id:${user.id}` } };
    return madeLink(user, await context.api.call('POST /users/{user}/password-link', given));
  },
};

const linkingFactor: Action = {
  path: '/users/:subject/enrolment-link',
  route: 'POST /users/{user}/enrolment-link',
  describe: async (context) => {
    const { framed } = await frame(context);
    return {
      ...framed,
      heading: `Create a link for ${framed.name} to add a second factor?`,
      words: [
        'For users who must have a second factor and cannot get the link by e-mail. It works once, for 30 minutes, together with their password, and is shown on the next page, for you to pass on. You need a second factor yourself.',
      ],
      impact: [],
      fields: [],
      button: 'Create link',
      danger: false,
    };
  },
  perform: async (context) => {
    const user = await getUser(context);
    const given = { params: { user: `id:${user.id}` } };
    return madeEnrolmentLink(user, await context.api.call('POST /users/{user}/enrolment-link', given));
  },
};

const resettingFactors: Action = {
  path: '/users/:subject/reset-factors',
  route: 'POST /users/{user}/reset-factors',
  describe: async (context) => {
    const { framed } = await frame(context);
    return {
      ...framed,
      heading: `Reset the sign-in methods of ${framed.name}?`,
      words: [
        'Their passkeys, authenticator app and recovery codes are removed, and they are signed out everywhere. Their password alone signs them in until they set up another method. They are notified by e-mail.',
      ],
      impact: [],
      fields: [],
      button: 'Reset sign-in methods',
      danger: true,
    };
  },
  perform: async (context) => {
    const { id } = await getUser(context);
    await context.api.call('POST /users/{user}/reset-factors', { params: { user: `id:${id}` } });
    return { to: pathOfSubject(context.params.subject ?? ''), done: 'factors-reset' };
  },
};

const stopping = ownerActions({
  path: '/users/:subject',
  find: async (context) => {
    const { user, framed } = await frame(context);
    const { id, enabled, version } = user;
    return { framed, enabled, version, handle: { user: `id:${id}` } };
  },
  params: ({ params: { subject = '' } }) => ({ user: subject }),
  disable: {
    route: 'POST /users/{user}/disable',
    words:
      'They and their apps are signed out everywhere and cannot sign in until you enable them. What this revokes stays revoked.',
  },
  enable: {
    route: 'PATCH /users/{user}',
    words:
      'They can sign in again with their password, and their API keys are accepted again. Tokens from before stay revoked.',
  },
  revoke: {
    heading: 'Revoke all credentials of',
    words:
      'They and the apps that act for them are signed out everywhere. Their API keys are revoked for good. They can sign in again.',
  },
});

const signingOut: Action = {
  path: '/users/:subject/sessions/:session_id/revoke',
  route: 'POST /sessions/{session_id}/revoke',
  describe: async (context) => {
    const { framed } = await frame(context);
    return {
      ...framed,
      heading: `Revoke 1 session of ${framed.name}?`,
      words: [
        'The browser is signed out. Its apps are notified, and tokens that are bound to the session are revoked.',
      ],
      impact: [{ text: '1 session', words: 'in this browser' }],
      fields: [],
      button: 'Revoke 1 session',
      danger: true,
    };
  },
  perform: async ({ api, params: { subject = '', session_id = '' } }) => {
    await api.call('POST /sessions/{session_id}/revoke', { params: { session_id } });
    return { to: pathOfSubject(subject), done: 'signed-out' };
  },
};

/** The actions on the account of a user. */
export const userActions: Action[] = [
  adding,
  changing,
  verifyingEmail,
  unverifyingEmail,
  linking,
  signingOut,
  settingPassword,
  linkingFactor,
  resettingFactors,
  ...stopping,
  ...roleActionsOf('user'),
  ...identityActions,
];
