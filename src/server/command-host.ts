import type { CommandHost } from '../entrypoints/cli/index.ts';
import { readVersion } from './version.ts';

// Loaded when they are needed: commands that open no installation start faster without the database's libraries, and others without
// the provider and the pages.
const installation = () => import('./installation.ts');
const compose = () => import('./compose/apply.ts');
const workers = () => import('./workers.ts');

/** What this process provides to the command line. */
export const commandHost: CommandHost = {
  readVersion,
  hasInstallation: async (config) => (await installation()).hasInstallation(config),
  nameOfPlace: async (config) => (await installation()).nameOfPlace(config),
  openInstallation: async (config) => (await installation()).openInstallation(config),
  applyDeps: async (config, opened, jobs) => (await compose()).applyDeps(config, opened, jobs),
  openDatabaseServer: async (config, as) => (await installation()).openDatabaseServer(config, as),
  migrateDatabase: async (config, location) => (await installation()).migrateDatabase(config, location),
  serveRequests: async (config, options) => (await workers()).serveRequests(config, options),
};
