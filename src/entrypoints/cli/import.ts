import { Command } from 'commander';
import { command, later } from './command.ts';

/** `latchkey import …` */
export function importCommand(): Command {
  return new Command('import').description('users, clients and roles of other systems').addCommand(
    command(
      'keycloak',
      'import a realm that Keycloak exported, with password hashes; without --apply it only shows what it would do',
      'latchkey import keycloak realm.json --apply',
    )
      .argument('<realm.json>')
      .option('--apply', 'import it')
      .action(later(async () => (await import('./actions/import.ts')).importKeycloak)),
  );
}
