/** Embedded PostgreSQL: a database without installation, for development and tests. */
export { EmbeddedPostgresError } from './embedded-postgres-error.ts';
export {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  hasEmbeddedPostgres,
  openEmbeddedPostgres,
} from './open.ts';
