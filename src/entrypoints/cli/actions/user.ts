import { countLiveTokens } from '../../../domain/tokens/index.ts';
import { generatePassword, getUser } from '../../../domain/users/index.ts';
import { Language } from '../../../platform/languages/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { isConfirmed, parsed, readSecret } from './input.ts';
import { answer, answerPage, columns } from './output.ts';
import { routesOf } from './routes.ts';
import type { OptionNames } from './usage.ts';

type Json = { json?: boolean };
type PasswordOptions = Json & { passwordStdin?: boolean };
type CreateOptions = PasswordOptions & {
  email?: string;
  emailVerified?: boolean;
  name?: string;
  language?: string;
  role: string[];
};
type IdentityOptions = { issuer: string; subject: string };
type ListOptions = Json & { search?: string; limit: string; cursor?: string };

/** The options of an account's members. */
const createOptions: OptionNames = { username: '<username>', roles: '--role', password: '--password-stdin' };

export const create = onInstallation(async (place: CommandContext, username: string, options: CreateOptions) => {
  const { email, emailVerified: email_verified, name, role: roles } = options;
  const language = parsed(Language.optional(), options.language, '--language');
  const password = await typedPassword(options);
  const given = { username, email, email_verified, name, language, ...(roles.length > 0 && { roles }), password };
  const made = await routesOf(place).call('POST /users', { body: given });
  answer(options, made, [`Created user ${username}.`, ...shownOnce(made.password)]);
}, createOptions);

const shownOnce = (password: string | undefined) =>
  password === undefined ? [] : [`Password, shown only this once: ${password}`];

/** Requested at a terminal, read from standard input with the option, and otherwise generated. */
async function typedPassword({ passwordStdin = false }: PasswordOptions): Promise<string | undefined> {
  if (!passwordStdin && !process.stdin.isTTY) return undefined;
  return (await readSecret('Password (empty: one is generated): ')) ?? generatePassword();
}

export const list = onInstallation(async (place: CommandContext, options: ListOptions) => {
  const { search: q, limit, cursor } = options;
  const page = await routesOf(place).call('GET /users', { query: { q, limit, cursor } });
  answerPage(options, page, {
    row: ({ id, username, email, enabled, name }) => [
      username,
      id,
      enabled ? 'enabled' : 'disabled',
      email ?? '',
      name ?? '',
    ],
    none: 'No users. Create one: latchkey user create --help',
  });
});

export const show = onInstallation(async (place: CommandContext, user: string, options: Json) => {
  const found = await routesOf(place).call('GET /users/{user}', { params: { user } });
  const rows = [
    ['Username', found.username],
    ['Id', found.id],
    ['Name', found.name ?? ''],
    ['E-mail', found.email ? `${found.email} (${found.email_verified ? 'verified' : 'not verified'})` : ''],
    ['Status', found.enabled ? 'enabled' : 'disabled'],
    ['Roles', found.roles.join(', ')],
    ...(found.sign_in_refused ? [['Sign-in refused', `since ${found.sign_in_refused.since.toISOString()}`]] : []),
    ['Created', found.created_at.toISOString()],
  ];
  answer(options, found, columns(rows));
});

export const disable = onInstallation(
  async (place: CommandContext, reference: string, options: Json & { yes?: boolean }) => {
    const { deps } = place;
    const { id, username } = await getUser(deps.db, reference);
    const live = await countLiveTokens(deps.db, { user_id: id }, deps.now());
    const question = `Disable ${username}? This signs them out everywhere and revokes ${live.refresh_families} refresh tokens and ${live.access_tokens} access tokens.`;
    const isDone = await isConfirmed(question, { ...options, scripts: 'continue' });
    const route = isDone ? 'POST /users/{user}/disable' : 'GET /users/{user}';
    const user = await routesOf(place).call(route, { params: { user: `id:${id}` } });
    answer(options, user, [isDone ? `Disabled user ${username}.` : 'Nothing changed.']);
  },
);

export const enable = onInstallation(async (place: CommandContext, user: string, options: Json) => {
  const body = { enabled: true };
  const enabled = await routesOf(place).call('PATCH /users/{user}', { params: { user }, body });
  answer(options, enabled, [`Enabled user ${enabled.username}.`]);
});

export const changePassword = onInstallation(async (place: CommandContext, user: string, options: PasswordOptions) => {
  const { id, username } = await getUser(place.deps.db, user);
  const body = { password: await typedPassword(options) };
  const params = { user: `id:${id}` };
  const { password } = await routesOf(place).call('POST /users/{user}/password', { params, body });
  const lines = [`Set the password of ${username} and signed them out everywhere.`, ...shownOnce(password)];
  answer(options, { ...(password !== undefined && { password }) }, lines);
}, createOptions);

export const passwordLink = onInstallation(async (place: CommandContext, user: string, options: Json) => {
  const link = await routesOf(place).call('POST /users/{user}/password-link', { params: { user } });
  const until = `It works once, until ${link.expires_at.toISOString()}.`;
  const lines = link.url
    ? [link.url, `${until} Give it to ${user} only.`]
    : [`The running server mails the link to ${link.mailed_to}. ${until}`];
  answer(options, link, lines);
});

export const enrolmentLink = onInstallation(async (place: CommandContext, user: string, options: Json) => {
  const link = await routesOf(place).call('POST /users/{user}/enrolment-link', { params: { user } });
  const until = `It works once, until ${link.expires_at.toISOString()}, together with their password.`;
  answer(options, link, [link.url, `${until} Give it to ${user} only.`]);
});

export const resetFactors = onInstallation(
  async (place: CommandContext, reference: string, options: Json & { yes?: boolean }) => {
    const { id, username } = await getUser(place.deps.db, reference);
    const question = `Remove all sign-in methods of ${username} but the password? This signs them out everywhere.`;
    const isDone = await isConfirmed(question, { ...options, scripts: 'continue' });
    const params = { user: `id:${id}` };
    const result = isDone ? await routesOf(place).call('POST /users/{user}/reset-factors', { params }) : { removed: 0 };
    const done = `Removed ${result.removed} sign-in methods of ${username} and signed them out everywhere.`;
    answer(options, result, [isDone ? done : 'Nothing changed.']);
  },
);

export const markVerified = onInstallation(
  async (place: CommandContext, user: string, options: Json & { email: string }) => {
    const body = { email: options.email };
    const verified = await routesOf(place).call('POST /users/{user}/verify-email', { params: { user }, body });
    answer(options, verified, [`The e-mail address of ${verified.username} is verified.`]);
  },
);

export const markUnverified = onInstallation(async (place: CommandContext, user: string, options: Json) => {
  const changed = await routesOf(place).call('POST /users/{user}/unverify-email', { params: { user } });
  answer(options, changed, [`The e-mail address of ${changed.username} is not verified.`]);
});

export const identities = onInstallation(async (place: CommandContext, user: string, options: Json) => {
  const found = await routesOf(place).call('GET /users/{user}/identities', { params: { user } });
  const rows = found.items.map(({ id, issuer, subject }) => [id, issuer, subject]);
  answer(options, found, rows.length > 0 ? columns(rows) : ['No linked accounts.']);
});

export const link = onInstallation(
  async (place: CommandContext, user: string, { issuer, subject, ...options }: Json & IdentityOptions) => {
    const made = await routesOf(place).call('POST /users/{user}/identities', {
      params: { user },
      body: { issuer, subject },
    });
    answer(options, made, [`Linked ${subject} at ${issuer} to ${user}.`]);
  },
);

export const unlink = onInstallation(async (place: CommandContext, user: string, id: string, options: Json) => {
  const params = { user, identity_id: id };
  await routesOf(place).call('DELETE /users/{user}/identities/{identity_id}', { params });
  answer(options, { id }, [`Unlinked the account from ${user}.`]);
});
