/** Embedded PostgreSQL: the database that needs no installing, for development and tests. */
export { EmbeddedPostgresError } from './embedded-postgres-error.ts';
export {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  hasEmbeddedPostgres,
  openEmbeddedPostgres,
} from './open.ts';
