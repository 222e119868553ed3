import { Command } from 'commander';
import { command, later } from './command.ts';

const actions = () => import('./actions/sign-in-policy.ts');

/** `latchkey sign-in-policy …` */
export function signInPolicyCommand(): Command {
  const signInPolicy = new Command('sign-in-policy').description('how users must sign in');
  const classes = 'two-factor, phr (a passkey), or any';
  signInPolicy
    .addCommand(
      command('show', 'show how users must sign in', 'latchkey sign-in-policy show').action(
        later(async () => (await actions()).show),
      ),
    )
    .addCommand(
      command(
        'set',
        'change how users must sign in; sessions that do not meet it sign in again',
        'latchkey sign-in-policy set --administrators two-factor',
      )
        .option('--everyone <class>', `what every user needs: ${classes}`)
        .option('--administrators <class>', `what users with a permission of Latchkey need: ${classes}`)
        .option(
          '--allow <methods>',
          'the methods that users may sign in with, joined by commas: password, passkey, totp, recovery_code, provider, email_code; or all (but email_code)',
        )
        .option(
          '--remember-browsers <days>',
          'for how many days users may skip the second factor in a browser; 0: never',
        )
        .action(later(async () => (await actions()).change)),
    );
  return signInPolicy;
}
