import type { z } from 'zod';
import { referenceToUsername } from '../../../../domain/access/index.ts';
import type { UserView } from '../../../../domain/users/index.ts';
import type { RequestContext } from '../request-context.ts';

export type User = z.output<typeof UserView>;

/** The address of a user's page in the console. */
export const pathOfSubject = (subject: string) => `/console/users/${encodeURIComponent(subject)}`;
export const userPath = (username: string) => pathOfSubject(referenceToUsername(username));
export const nameOf = ({ name, username }: User) => name ?? username;

/** The user that an address names. */
export function getUser({ api, params: { subject = '' } }: RequestContext): Promise<User> {
  return api.call('GET /users/{user}', { params: { user: subject } });
}
