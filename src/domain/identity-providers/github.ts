import type { Configuration } from 'openid-client';
import { z } from 'zod';
import { gitHubApi, type LoginTrust, openidClient } from './connections.ts';
import { ProviderRefusal, refusalOf } from './refusal.ts';
import type { UpstreamAccount } from './upstream-account.ts';

const User = z.object({ id: z.int().positive(), login: z.string().max(100), name: z.string().nullable().optional() });
const Emails = z.array(z.object({ email: z.string().max(254), primary: z.boolean(), verified: z.boolean() })).max(500);

/** An account at GitHub, by its number, which no other account gets when names change. */
export async function gitHubAccount(
  connection: Configuration,
  { issuer }: LoginTrust,
  access_token: string,
): Promise<UpstreamAccount> {
  const read = reader(connection, access_token);
  const user = User.safeParse(await read(`${gitHubApi(issuer)}/user`));
  if (!user.success) throw new ProviderRefusal('invalid', 'invalid answer: not an account of GitHub');
  const emails = Emails.safeParse(await read(`${gitHubApi(issuer)}/user/emails`)).data ?? [];
  const { email, verified } = emails.find(({ primary }) => primary) ?? {};
  const { id, login, name } = user.data;
  return {
    ...{ issuer, subject: String(id), authenticated_at: undefined, sid: undefined },
    claims: {
      ...{ sub: String(id), preferred_username: login },
      ...(name && { name }),
      ...(email !== undefined && { email, email_verified: verified === true }),
    },
  };
}

/** Reads from the API; undefined: it refuses, for example because a scope is missing. */
function reader(connection: Configuration, access_token: string) {
  return async (address: string): Promise<unknown> => {
    const { fetchProtectedResource } = await openidClient();
    const headers = new Headers({ accept: 'application/vnd.github+json', 'user-agent': 'Latchkey' });
    try {
      const url = new URL(address);
      const response = await fetchProtectedResource(connection, access_token, url, 'GET', undefined, headers);
      return response.ok ? await response.json().catch(() => undefined) : undefined;
    } catch (error) {
      throw refusalOf(error);
    }
  };
}
