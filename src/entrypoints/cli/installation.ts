import { Command } from 'commander';
import { command, later, withExample } from './command.ts';

/** `latchkey serve`: runs until SIGINT or SIGTERM. */
export function serveCommand(): Command {
  const serve = new Command('serve').description('start the server');
  return withExample(serve, 'latchkey serve').action(later(async () => (await import('./actions/serve.ts')).serve));
}

export function statusCommand(): Command {
  return command('status', 'show the version, address and contents of this installation', 'latchkey status').action(
    later(async () => (await import('./actions/status.ts')).status),
  );
}

export function setupLinkCommand(): Command {
  return command(
    'setup-link',
    'create a one-time link to create the first administrator',
    'latchkey setup-link',
  ).action(later(async () => (await import('./actions/setup-link.ts')).setupLink));
}

export function bootstrapCommand(): Command {
  return command(
    'bootstrap',
    'create the first credential for the admin API: a service with all permissions',
    'latchkey bootstrap',
  )
    .option('--client-id <id>', 'the client_id of the service', 'latchkey-admin')
    .action(later(async () => (await import('./actions/bootstrap.ts')).bootstrapService));
}

export function migrateCommand(): Command {
  return command('migrate', 'migrate the database to this version', 'latchkey migrate --status')
    .option('--status', 'only show which migrations were applied')
    .action(later(async () => (await import('./actions/migrate.ts')).migrate));
}

export function applyCommand(): Command {
  return command(
    'apply',
    'apply a configuration file (JSON or YAML); docs/configuration-as-code.md',
    'latchkey apply latchkey.yaml --dry-run',
  )
    .argument('<file>', 'the file')
    .option('--dry-run', 'only show what would change')
    .option('--prune', 'also disable records that the file does not name; asks first')
    .option('--yes', 'do not ask')
    .action(later(async () => (await import('./actions/apply.ts')).apply));
}

export function exportCommand(): Command {
  const exported = new Command('export')
    .description('print the installation as a configuration file, without secrets and passwords')
    .option('--json', 'as JSON (the default)')
    .option('--yaml', 'as YAML')
    .option('--create', 'create an installation if there is none');
  return withExample(exported, 'latchkey export --yaml').action(
    later(async () => (await import('./actions/export.ts')).exportAll),
  );
}
