import type { FactorKind } from '../../../../db/schema.ts';
import { isAllowed, narrowedTo } from '../../../domain/assurance/index.ts';
import type { PagesDeps } from '../pages.ts';
import type { SignInView } from './page-data.ts';

/**
 * Whether a sign-in page offers a method: one that is allowed here and, for the request of an app, accepted there. A user who connects a
 * provider's account can use any.
 */
export async function isOffered(
  { policy }: Pick<PagesDeps, 'policy'>,
  { demand, connect }: SignInView,
  kind: FactorKind,
): Promise<boolean> {
  const present = await policy.current();
  return isAllowed(demand && connect === undefined ? narrowedTo(present, demand) : present, kind);
}
