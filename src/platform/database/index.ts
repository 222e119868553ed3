/** PostgreSQL: connections, migrations, and the counter that tells nodes of each other's changes. */
export { announceChange, watchChanges } from './change-counter.ts';
export { HotConnection, type HotResult, type HotStatement } from './hot-connection.ts';
export { type MigrationState, migrate, migrationStates } from './migrate.ts';
export { type Database, type DatabaseOptions, type Db, openDatabase, type Trx } from './open.ts';
export { DatabaseUnavailableError, isConnectionFailure } from './unavailable.ts';
