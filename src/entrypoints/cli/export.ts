import { Command } from 'commander';
import { exportConfiguration } from '../../domain/apply/index.ts';
import { onInstallation, type Workplace } from './command.ts';
import { say } from './output.ts';

/** `latchkey export`: the installation as a file that `apply` takes. */
export function exportCommand(): Command {
  return new Command('export')
    .description('print the installation as a file for "latchkey apply"; secrets and passwords are not in it')
    .option('--json', 'as JSON (the default)')
    .option('--yaml', 'as YAML')
    .action(onInstallation(exportAll));
}

async function exportAll({ deps }: Workplace, { yaml }: { yaml?: boolean }): Promise<void> {
  const file = await exportConfiguration(deps.db, deps.now());
  say(yaml ? (await import('yaml')).stringify(file).trimEnd() : JSON.stringify(file, undefined, 2));
}
