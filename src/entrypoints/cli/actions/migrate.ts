import { loadConfig } from '../../../config.ts';
import { migrationStates } from '../../../platform/database/index.ts';
import { hostOf } from '../host.ts';
import { action, mustHaveInstallation } from './command-context.ts';
import { answer, columns } from './output.ts';

type Options = { json?: boolean; status?: boolean; create?: boolean };

export const migrate = action(async (options: Options, ...given: unknown[]) => {
  const host = hostOf(given);
  const config = loadConfig();
  // This command is for an empty database, too; a data folder is created by a server, or on request.
  if (!config.databaseUrl) await mustHaveInstallation(host, config, options);
  const location = await host.openDatabaseServer(config, 'guest');
  try {
    const applied = options.status ? [] : await host.migrateDatabase(config, location);
    const migrations = await migrationStates(location.migrateUrl);
    const rows = migrations.map(({ name, applied_at }) => [name, applied_at?.toISOString() ?? 'pending']);
    const done = applied.length > 0 ? `Applied: ${applied.join(', ')}.` : 'The database is already at this version.';
    answer(options, { applied, migrations }, options.status ? columns(rows) : [done]);
  } finally {
    await location.close();
  }
});
