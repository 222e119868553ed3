import type { CommandHost } from '../entrypoints/cli/index.ts';
import { hasInstallation, migrateDatabase, nameOfPlace, openDatabaseServer, openInstallation } from './installation.ts';
import { readVersion } from './version.ts';

/** What this process hands to the command line. */
export const commandHost: CommandHost = {
  readVersion,
  hasInstallation,
  nameOfPlace,
  openInstallation: (config) => openInstallation(config),
  openDatabaseServer,
  migrateDatabase: (config, location) => migrateDatabase(config, location),
  serveRequests: async (config, options) => {
    // Loaded here: the other commands start faster without the provider and the pages.
    const { serveRequests } = await import('./workers.ts');
    return serveRequests(config, options);
  },
};
