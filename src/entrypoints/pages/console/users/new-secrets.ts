import type { z } from 'zod';
import type { PasswordLinkView } from '../../../../domain/users/index.ts';
import { exactTime } from '../../times.ts';
import type { ActionResult } from '../actions.ts';
import { nameOf, type User, userPath } from './user.ts';

/** The link to choose a password, shown once; or that it was sent. */
export function madeLink(user: User, { url, expires_at }: z.output<typeof PasswordLinkView>): ActionResult {
  if (url === undefined) return { to: userPath(user.username), done: 'mailed' };
  const words = `It works once, until ${exactTime(expires_at)}. Anyone who has it can choose the password.`;
  return made(user, { heading: 'Password reset link', secret: url, words });
}

/** The link to add a second factor, shown once. */
export function madeEnrolmentLink(user: User, { url, expires_at }: { url: string; expires_at: Date }): ActionResult {
  const words = `It works once, until ${exactTime(expires_at)}, together with their password. Make sure that you give it to the user.`;
  return made(user, { heading: 'Link to add a second factor', secret: url, words });
}

/** A generated password, shown once. */
export function madePassword(user: User, { heading, password }: { heading: string; password: string }): ActionResult {
  const words = 'Send it through a channel that only they can read, and ask them to change it on their account page.';
  return made(user, { heading, secret: password, words });
}

function made(user: User, { words, ...page }: { heading: string; secret: string; words: string }): ActionResult {
  const name = nameOf(user);
  const crumb = { text: name, href: userPath(user.username) };
  return { made: { crumb, name, ...page, words: [words], snippets: [], facts: [] } };
}
