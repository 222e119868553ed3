import { Command } from 'commander';
import { emailQueue } from '../../domain/notifications/index.ts';
import { countLiveTokens } from '../../domain/tokens/index.ts';
import {
  createPasswordLink,
  createUser,
  disableUser,
  generatePassword,
  getUser,
  type PasswordLink,
  setPassword,
  UserInput,
  unverifyEmail,
  verifyEmail,
} from '../../domain/users/index.ts';
import { command, onInstallation, type Workplace } from './command.ts';
import { isConfirmed, parsed, readSecret } from './input.ts';
import { answer } from './output.ts';
import type { OptionNames } from './usage.ts';

type CreateOptions = {
  json?: boolean;
  email?: string;
  emailVerified?: boolean;
  name?: string;
  role: string[];
  passwordStdin?: boolean;
};
type PasswordOptions = { json?: boolean; passwordStdin?: boolean };

const userArgument = 'a username, or id:…, username:… or email:…';

/** How the members of an account are typed. */
const createOptions: OptionNames = { username: '<username>', roles: '--role', password: '--password-stdin' };

const passwordOption = [
  '--password-stdin',
  'take the password from standard input; without a terminal one is made otherwise',
] as const;

/** `latchkey user …` */
export function userCommand(): Command {
  const user = new Command('user').description('people who can sign in');
  user
    .addCommand(
      command('create', 'create a person')
        .argument('<username>')
        .option('--email <address>')
        .option('--email-verified', 'the address is known to be theirs')
        .option('--name <name>', 'shown to apps')
        .option(
          '--role <role>',
          'give a role, e.g. owner; may be repeated',
          (role, roles: string[]) => [...roles, role],
          [],
        )
        .option(...passwordOption)
        .action(onInstallation(create, createOptions)),
    )
    .addCommand(
      command('disable', 'stop a person: signed out everywhere, all their tokens end')
        .argument('<user>', userArgument)
        .option('--yes', 'do not ask')
        .action(onInstallation(disable)),
    )
    .addCommand(
      command('set-password', 'set a person’s password; signs them out everywhere')
        .argument('<user>', userArgument)
        .option(...passwordOption)
        .action(onInstallation(changePassword)),
    )
    .addCommand(
      command('password-link', 'make a one-time link with which a person chooses their own password')
        .argument('<user>', userArgument)
        .action(onInstallation(passwordLink)),
    )
    .addCommand(
      command('verify-email', 'mark a person’s e-mail address as verified')
        .argument('<user>', userArgument)
        .requiredOption('--email <address>', 'the address that you verified; it must be their current one')
        .action(onInstallation(markVerified)),
    )
    .addCommand(
      command('unverify-email', 'mark a person’s e-mail address as not verified')
        .argument('<user>', userArgument)
        .action(onInstallation(markUnverified)),
    );
  return user;
}

async function markVerified(
  { deps, actor }: Workplace,
  login: string,
  { email, ...options }: { json?: boolean; email: string },
): Promise<void> {
  const found = await getUser(deps.db, login);
  const { username } = await verifyEmail(deps, actor, { id: found.id, email });
  answer(options, { username, email, email_verified: true }, [`The e-mail address of ${username} is verified.`]);
}

async function markUnverified({ deps, actor }: Workplace, login: string, options: { json?: boolean }): Promise<void> {
  const found = await getUser(deps.db, login);
  const { username, email } = await unverifyEmail(deps, actor, found.id);
  answer(options, { username, email, email_verified: false }, [`The e-mail address of ${username} is not verified.`]);
}

async function create({ deps, actor }: Workplace, username: string, options: CreateOptions): Promise<void> {
  const { email, emailVerified: email_verified, name, role: roles } = options;
  const given = parsed(
    UserInput,
    { username, email, email_verified, name, ...(roles.length > 0 && { roles }) },
    createOptions,
  );
  const { password, generated } = await newPassword(options);
  const { id } = await createUser(deps, actor, { ...given, password });
  const shown = generated ? [`Password, shown only this once: ${password}`] : [];
  answer(options, { id, username, ...(generated && { password }) }, [`Created ${username}.`, ...shown]);
}

/** Asked for at a terminal, taken from standard input when told so, and otherwise made and shown once. */
async function newPassword({
  passwordStdin = false,
}: PasswordOptions): Promise<{ password: string; generated: boolean }> {
  const typed = passwordStdin || process.stdin.isTTY ? await readSecret('Password (empty: one is made): ') : undefined;
  return typed === undefined
    ? { password: generatePassword(), generated: true }
    : { password: typed, generated: false };
}

async function disable(
  { deps, actor }: Workplace,
  reference: string,
  options: { json?: boolean; yes?: boolean },
): Promise<void> {
  const user = await getUser(deps.db, reference);
  const live = await countLiveTokens(deps.db, { user_id: user.id }, deps.now());
  const question = `Disable ${user.username}? It signs them out everywhere and ends ${live.refresh_families} refresh tokens and ${live.access_tokens} access tokens.`;
  const isDone = await isConfirmed(question, { ...options, scripts: 'go on' });
  if (isDone) await disableUser(deps, actor, user.id);
  answer(options, { username: user.username, disabled: isDone, ended: isDone ? live : null }, [
    isDone ? `Disabled ${user.username}.` : 'Nothing changed.',
  ]);
}

async function changePassword({ deps, actor }: Workplace, reference: string, options: PasswordOptions): Promise<void> {
  const { id, username } = await getUser(deps.db, reference);
  const { password, generated } = await newPassword(options);
  await setPassword(deps, actor, { id, password });
  const shown = generated ? [`Password, shown only this once: ${password}`] : [];
  answer(options, { login: username, ...(generated && { password }) }, [
    `Set the password of ${username}; they are signed out everywhere.`,
    ...shown,
  ]);
}

async function passwordLink(place: Workplace, reference: string, options: { json?: boolean }): Promise<void> {
  const user = await getUser(place.deps.db, reference);
  const link = await makeLink(place, user.id);
  const until = `It works once, until ${link.expires_at.toISOString()}.`;
  const words =
    'url' in link
      ? [link.url, `${until} Give it to ${user.username} alone.`]
      : [`The running server mails the link to ${link.mailed_to}. ${until}`];
  answer(options, link, words);
}

/** A mail needs a whole address in it, and a server that sends it. */
async function makeLink({ config, deps, actor }: Workplace, user_id: string): Promise<PasswordLink> {
  const { issuer = '', mail } = config;
  const sendEmail = mail && issuer ? emailQueue(deps) : undefined;
  return createPasswordLink({ ...deps, issuer, sendEmail }, actor, user_id);
}
