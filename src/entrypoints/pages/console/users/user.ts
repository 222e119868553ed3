import type { z } from 'zod';
import { referenceToUsername } from '../../../../domain/access/index.ts';
import type { UserDetailView, UserView } from '../../../../domain/users/index.ts';
import type { RequestContext } from '../request-context.ts';

export type User = z.output<typeof UserView>;
export type UserDetail = z.output<typeof UserDetailView>;

/** The address of a user's page in the console. */
export const pathOfSubject = (subject: string) => `/console/users/${encodeURIComponent(subject)}`;
export const userPath = (username: string) => pathOfSubject(referenceToUsername(username));
export const nameOf = ({ name, username }: User) => name ?? username;

/** The user that an address names. */
export function getUser({ api, params: { subject = '' } }: RequestContext): Promise<UserDetail> {
  return api.call('GET /users/{user}', { params: { user: subject } });
}
