import type { KeyObject } from 'node:crypto';
import { Command } from 'commander';
import type { Config } from '../../config.ts';
import type { ApplyDeps } from '../../domain/apply/index.ts';
import type { Database } from '../../platform/database/index.ts';
import type { ServerKeys } from '../../platform/keys/index.ts';

/** The installation that a command works on: the database, migrated, and the keys, unsealed. */
export type OpenInstallation = {
  database: Database;
  databaseUrl: string;
  /** The location of the data, for display. */
  databaseName: string;
  rootKey: KeyObject;
  keys: ServerKeys;
  now: () => Date;
  close: () => Promise<void>;
};

type Location = { url: string; migrateUrl: string; name: string; close: () => Promise<void> };

type ServeOptions = { say: (lines: string) => void; note: (line: string) => void; signal: AbortSignal };

/** The functions that the process provides to the command line. */
export type CommandHost = {
  readVersion: () => string;
  /** Whether an installation exists; otherwise opening it creates one. */
  hasInstallation: (config: Config) => Promise<boolean>;
  /** The location of a configuration's data, for display. */
  nameOfPlace: (config: Config) => Promise<string>;
  openInstallation: (config: Config) => Promise<OpenInstallation>;
  /** The dependencies of configuration as code, and of the routes that commands call. */
  applyDeps: (config: Config, installation: OpenInstallation, jobs: ApplyDeps['jobs']) => Promise<ApplyDeps>;
  openDatabaseServer: (config: Config, as: 'guest') => Promise<Location>;
  /** @returns names of the migrations applied now */
  migrateDatabase: (config: Config, location: Location) => Promise<string[]>;
  /** Serves until it is closed; `signal` aborts a start that still waits. */
  serveRequests: (config: Config, options: ServeOptions) => Promise<{ close: () => Promise<void> }>;
};

/** The root of all commands, with what the process provides to them. */
export class RootCommand extends Command {
  readonly host: CommandHost;

  constructor(name: string, host: CommandHost) {
    super(name);
    this.host = host;
  }
}

/** The host of a running command. Commander passes the command to its action as the last argument. */
export function hostOf(given: readonly unknown[]): CommandHost {
  let command = given.at(-1);
  while (command instanceof Command && !(command instanceof RootCommand)) command = command.parent;
  if (!(command instanceof RootCommand)) throw new Error('A command runs outside of the latchkey command.');
  return command.host;
}
