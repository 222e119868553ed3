import { domainOf, EmailAddress } from '../users/index.ts';
import type { LoginTrust } from './connections.ts';
import type { UpstreamAccount } from './upstream-account.ts';

/**
 * The address of an account, if the provider verified it. Addresses from Microsoft Entra never count: the administrator of a tenant
 * chooses the addresses of its users.
 */
export function verifiedEmail({ login }: LoginTrust, { claims }: UpstreamAccount): string | undefined {
  if (login.provider === 'microsoft' || claims.email_verified !== true) return undefined;
  return EmailAddress.safeParse(claims.email).data;
}

/**
 * Whether the provider decides who has an address in this domain. Google does for domains that it hosts (`hd`), and for its own; for
 * other addresses it knows only that they were verified once.
 */
export function isAuthoritative({ login }: LoginTrust, { claims }: UpstreamAccount, email: string): boolean {
  const domain = domainOf(email);
  if (!login.email_domains.includes(domain)) return false;
  return login.provider !== 'google' || domain === 'gmail.com' || claims.hd === domain;
}

/** Whether a user without an account gets one. `email`: their verified address. */
export function mayHaveAccount({ login }: LoginTrust, email: string | undefined): boolean {
  if (login.creation === 'open') return true;
  return login.creation === 'domains' && email !== undefined && login.email_domains.includes(domainOf(email));
}
