import { Command } from 'commander';
import { command, later, repeated, userArgument } from './command.ts';

const actions = () => import('./actions/user.ts');

const passwordOption = [
  '--password-stdin',
  'read the password from standard input; otherwise a terminal asks for it, and a script gets a generated one',
] as const;

/** `latchkey user …` */
export function userCommand(): Command {
  const user = new Command('user').description('users, who can sign in');
  for (const each of [...accounts(), ...credentials(), ...identities()]) user.addCommand(each);
  return user;
}

function accounts(): Command[] {
  return [
    command('create', 'create a user', 'latchkey user create alice --email alice@example.com --role owner')
      .argument('<username>')
      .option('--email <address>', 'the e-mail address')
      .option('--email-verified', 'mark the address as verified')
      .option('--name <name>', 'the name shown to apps')
      .option('--language <language>', 'the language of their e-mail, en or de')
      .option('--role <role>', 'a role to assign, e.g. owner; may be repeated', repeated, [])
      .option(...passwordOption)
      .action(later(async () => (await actions()).create)),
    command('list', 'list the users', 'latchkey user list --search alice')
      .option('--search <text>', 'only users with this text in the username, name or e-mail address')
      .option('-n, --limit <number>', 'the maximum number of users', '50')
      .option('--cursor <cursor>', 'the `next` of the previous page')
      .action(later(async () => (await actions()).list)),
    command('show', 'show a user and their roles', 'latchkey user show alice')
      .argument('<user>', userArgument)
      .action(later(async () => (await actions()).show)),
    command(
      'disable',
      'disable a user: they are signed out everywhere, and all their tokens are revoked',
      'latchkey user disable alice',
    )
      .argument('<user>', userArgument)
      .option('--yes', 'do not ask')
      .action(later(async () => (await actions()).disable)),
    command('enable', 'enable a user; sessions and tokens from before stay revoked', 'latchkey user enable alice')
      .argument('<user>', userArgument)
      .action(later(async () => (await actions()).enable)),
  ];
}

function credentials(): Command[] {
  return [
    command(
      'set-password',
      'set the password of a user and sign them out everywhere',
      'latchkey user set-password alice',
    )
      .argument('<user>', userArgument)
      .option(...passwordOption)
      .action(later(async () => (await actions()).changePassword)),
    command(
      'password-link',
      'create a one-time link to choose a password; it is mailed if there is a mail server',
      'latchkey user password-link alice',
    )
      .argument('<user>', userArgument)
      .action(later(async () => (await actions()).passwordLink)),
    command(
      'enrolment-link',
      'create a one-time link for a user to add their first second factor',
      'latchkey user enrolment-link alice',
    )
      .argument('<user>', userArgument)
      .action(later(async () => (await actions()).enrolmentLink)),
    command(
      'reset-factors',
      'remove the passkeys, authenticator app and recovery codes of a user, and sign them out everywhere',
      'latchkey user reset-factors alice',
    )
      .argument('<user>', userArgument)
      .option('--yes', 'do not ask')
      .action(later(async () => (await actions()).resetFactors)),
    command(
      'verify-email',
      'mark the e-mail address of a user as verified',
      'latchkey user verify-email alice --email alice@example.com',
    )
      .argument('<user>', userArgument)
      .requiredOption('--email <address>', 'the address that you verified; it must be their current one')
      .action(later(async () => (await actions()).markVerified)),
    command('unverify-email', 'mark the e-mail address of a user as not verified', 'latchkey user unverify-email alice')
      .argument('<user>', userArgument)
      .action(later(async () => (await actions()).markUnverified)),
  ];
}

function identities(): Command[] {
  return [
    command('identities', 'list the accounts of a user at other issuers', 'latchkey user identities alice')
      .argument('<user>', userArgument)
      .action(later(async () => (await actions()).identities)),
    command(
      'link',
      'link an account at another issuer to a user',
      'latchkey user link alice --issuer https://idp.example.com --subject 00u1234',
    )
      .argument('<user>', userArgument)
      .requiredOption('--issuer <issuer>', 'the iss of its tokens')
      .requiredOption('--subject <subject>', 'the sub of the account there')
      .action(later(async () => (await actions()).link)),
    command(
      'unlink',
      'unlink an account from a user; every token issued for it is revoked',
      'latchkey user unlink alice 01890a5d-ac96-774b-bcce-b302099a8057',
    )
      .argument('<user>', userArgument)
      .argument('<identity-id>', 'its id, as `latchkey user identities` lists it')
      .action(later(async () => (await actions()).unlink)),
  ];
}
