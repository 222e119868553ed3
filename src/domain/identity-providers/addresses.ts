import { domainOf, EmailAddress } from '../users/index.ts';
import type { LoginTrust } from './connections.ts';
import type { UpstreamAccount } from './upstream-account.ts';

/**
 * The address of an account, where the provider verified it. Of Microsoft Entra none is: the administrator of a tenant chooses the addresses
 * of its users.
 */
export function verifiedEmail({ login }: LoginTrust, { claims }: UpstreamAccount): string | undefined {
  if (login.provider === 'microsoft' || claims.email_verified !== true) return undefined;
  return EmailAddress.safeParse(claims.email).data;
}

/**
 * Whether the provider decides who has an address of this domain. Google does where it hosts the domain (`hd`), and of its own; of other
 * addresses it knows only that they were verified once.
 */
export function isAuthoritative({ login }: LoginTrust, { claims }: UpstreamAccount, email: string): boolean {
  const domain = domainOf(email);
  if (!login.email_domains.includes(domain)) return false;
  return login.provider !== 'google' || domain === 'gmail.com' || claims.hd === domain;
}

/** Whether somebody without an account gets one. `email`: their verified address. */
export function mayHaveAccount({ login }: LoginTrust, email: string | undefined): boolean {
  if (login.creation === 'open') return true;
  return login.creation === 'domains' && email !== undefined && login.email_domains.includes(domainOf(email));
}
