/** PostgreSQL: connections, migrations, and the feed that notifies nodes of each other's changes. */
export { atMost } from './at-most.ts';
export { Batched, type Collection, Keyed } from './batched.ts';
export { Cache } from './cache.ts';
export { announceEverything, ChangeFeed } from './change-feed.ts';
export { DatabaseClock } from './clock.ts';
export { stalledMs } from './commits.ts';
export { containing } from './containing.ts';
export { databaseTime } from './database-time.ts';
export { GroupCommit, type GroupCommitKind } from './group-commit.ts';
export { HotConnection } from './hot-connection.ts';
export { binaryText, type HotResult, type HotStatement } from './hot-statement.ts';
export { inTransaction } from './in-transaction.ts';
export { type Patience, persistently, reasonOf, waitForDatabase } from './late.ts';
export { isMigrated, type MigrationState, migrate, migrationStates } from './migrate.ts';
export { mostInteger } from './most-integer.ts';
export { type Database, type DatabaseOptions, type Db, openDatabase, type Trx } from './open.ts';
export { idleConnectionMs } from './pool.ts';
export { DatabaseUnavailableError, isConnectionFailure, isContention, isOutage } from './unavailable.ts';
