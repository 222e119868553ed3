import { Command } from 'commander';
import { command, later } from './command.ts';

/** `latchkey token …` */
export function tokenCommand(): Command {
  return new Command('token').description('access and refresh tokens').addCommand(
    command(
      'revoke',
      'revoke a token by its value; a refresh token is revoked with its whole family',
      'echo "$TOKEN" | latchkey token revoke',
    )
      .argument('[token]', 'prefer standard input: other processes can read a command line')
      .action(later(async () => (await import('./actions/token.ts')).revoke)),
  );
}

/** `latchkey grant …` */
export function grantCommand(): Command {
  return new Command('grant').description('what a user granted to a client in one session').addCommand(
    command(
      'revoke',
      'revoke a grant with every code and token under it; audit events name it as grant_id',
      'latchkey grant revoke 01a20d45-f640-7792-8384-4db68168b57f',
    )
      .argument('<grant-id>')
      .action(later(async () => (await import('./actions/grant.ts')).revoke)),
  );
}

/** `latchkey revoke --before TIME`: after a restore, or a leak of unknown size. */
export function revokeCommand(): Command {
  return command(
    'revoke',
    'revoke every token, code and session issued up to a time, of all users and clients',
    'latchkey revoke --before 2026-11-24T12:00:00Z --dry-run',
  )
    .requiredOption('--before <time>', 'the time, e.g. 2026-11-24T12:00:00Z')
    .option('--api-keys', 'also revoke API keys that were issued up to that time')
    .option('--dry-run', 'only show what would be revoked')
    .option('--yes', 'do not ask')
    .action(later(async () => (await import('./actions/revoke.ts')).revoke));
}

/** `latchkey restore-check [FILE…]`: after a restore from a backup. */
export function restoreCheckCommand(): Command {
  return command(
    'restore-check',
    'after a restore: revoke again what was revoked since the backup, and list what else was lost',
    'latchkey restore-check audit.ndjson --dry-run',
  )
    .argument('[files...]', 'exports of the audit log, webhook messages, or the standard output of servers')
    .option('--head <number:head>', 'a chain head that you recorded before the restore')
    .option('--keys <file>', 'the output of `latchkey audit keys --json`, if the backup lacks the newest key')
    .option('--unproved', 'accept events without a signed seal')
    .option('--revoke-all', 'revoke every restored token, session and API key')
    .option('--dry-run', 'only show what would be revoked')
    .option('--yes', 'do not ask')
    .action(later(async () => (await import('./actions/restore-check.ts')).restoreCheck));
}
