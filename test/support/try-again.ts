import { eventually } from './eventually.ts';

/**
 * Does the work again while it fails with a 503, as clients do. Under the default time limit of the database
 * (`defaultDatabaseTimeout`), a busy machine may answer so before the test has begun.
 */
export async function tryAgain<T>(work: () => Promise<T>): Promise<T> {
  const done = await eventually(
    () =>
      work().then(
        (result) => ({ result }),
        (error: Error) => {
          if (!/\b503\b/.test(error.message)) throw error;
          return undefined;
        },
      ),
    (outcome) => outcome !== undefined,
    { pauseMs: 500 },
  );
  if (!done) throw new Error('not done');
  return done.result;
}
