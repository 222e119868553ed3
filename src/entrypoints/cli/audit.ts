import { Command } from 'commander';
import { command, later, userArgument } from './command.ts';

const proofs = () => import('./actions/audit-proof.ts');

/** `latchkey audit …` */
export function auditCommand(): Command {
  const audit = new Command('audit').description('the audit log');
  for (const each of [tailCommand(), listCommand(), ...proofCommands()]) audit.addCommand(each);
  return audit;
}

function tailCommand(): Command {
  return command(
    'tail',
    'show the newest events in ascending order; with --json, one per line',
    'latchkey audit tail --lines 100',
  )
    .option('-n, --lines <number>', 'how many', '20')
    .option('-f, --follow', 'wait for new events, until Ctrl-C')
    .action(later(async () => (await import('./actions/audit.ts')).tail));
}

function listCommand(): Command {
  return command(
    'list',
    'find events, newest first; with --json a page',
    'latchkey audit list --action client.created --from 2026-11-24T12:00:00Z',
  )
    .option('--actor <id>', 'the actor: the id of a user, a client_id, or an operating-system account')
    .option('--actor-kind <kind>', 'user, client, api_key, anonymous or system')
    .option('--target <id>', 'the target of the action')
    .option('--target-kind <kind>', 'user, client, grant, …')
    .option('--action <action>', 'e.g. client.secret.created')
    .option('--outcome <outcome>', 'success or failure')
    .option('--request-id <id>', 'the X-Request-Id of a response')
    .option('--from <time>', 'from this time, e.g. 2026-11-24T12:00:00Z')
    .option('--to <time>', 'before this time')
    .option('--text <text>', 'text found anywhere in the event')
    .option('-n, --limit <number>', 'the maximum number of events', '50')
    .option('--cursor <cursor>', 'the `next` of the previous page')
    .action(later(async () => (await import('./actions/audit.ts')).list));
}

/** The commands that verify the audit log, export it, and remove its oldest part. */
function proofCommands(): Command[] {
  return [
    ranged(
      command(
        'verify',
        'verify that no event was changed, removed, inserted or reordered; exit code 1 if one was',
        'latchkey audit verify',
      ),
    )
      .option('--head <number:head>', 'a chain head that you recorded elsewhere, which must be part of the log')
      .option('--file <file>', 'verify an export, without a database')
      .option('--keys <file>', 'the output of `latchkey audit keys --json`; needed with --file')
      .action(later(async () => (await proofs()).verifyThere)),
    command('keys', 'print the public keys that verify the log elsewhere', 'latchkey audit keys').action(
      later(async () => (await proofs()).keys),
    ),
    ranged(command('export', 'write the log as NDJSON, with the proofs', 'latchkey audit export --out audit.ndjson'))
      .option('--out <file>', 'the file to write; default: standard output')
      .action(later(async () => (await proofs()).exportLog)),
    command(
      'prune',
      'remove the oldest part of the log; the rest can still be verified',
      'latchkey audit prune --before 2025-11-24T00:00:00Z --dry-run',
    )
      .requiredOption('--before <time>', 'remove what was sealed before this time, e.g. 2026-11-24T12:00:00Z')
      .option('--dry-run', 'only show what would be removed')
      .option('--yes', 'do not ask')
      .action(later(async () => (await proofs()).prune)),
    command(
      'erase-details',
      'erase address and user agent from all events of a user; the events can still be verified',
      'latchkey audit erase-details alice',
    )
      .argument('<user>', userArgument)
      .option('--yes', 'do not ask')
      .action(later(async () => (await proofs()).eraseDetails)),
  ];
}

function ranged(made: Command): Command {
  return made
    .option('--from <time>', 'only what was sealed from this time, e.g. 2026-11-24T12:00:00Z')
    .option('--to <time>', 'only what was sealed up to this time');
}
