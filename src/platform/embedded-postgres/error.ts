/** Why the embedded PostgreSQL cannot run, in one sentence for a person. */
export class EmbeddedPostgresError extends Error {
  override name = 'EmbeddedPostgresError';
}
