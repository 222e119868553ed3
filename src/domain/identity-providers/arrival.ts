import type { Db } from '../../platform/database/index.ts';
import type { Origin } from '../../platform/http/index.ts';
import type { Refusals } from '../audit/index.ts';
import type { SendEmail } from '../notifications/index.ts';
import type { LoginTrust } from './connections.ts';
import type { UpstreamAccount } from './upstream-account.ts';

export type AccountDeps = { db: Db; now: () => Date; refusals: Refusals; sendEmail?: SendEmail | undefined };

/** A user who comes from a provider. */
export type Arrival = { trust: LoginTrust; account: UpstreamAccount; origin: Origin };
