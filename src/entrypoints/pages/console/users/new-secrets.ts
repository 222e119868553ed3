import type { z } from 'zod';
import type { PasswordLinkView } from '../../../../domain/users/index.ts';
import { exactTime } from '../../times.ts';
import type { ActionResult } from '../actions.ts';
import { nameOf, type User, userPath } from './user.ts';

/** A link with which a person chooses their password, this once; or where it was mailed. */
export function madeLink(person: User, { url, expires_at }: z.output<typeof PasswordLinkView>): ActionResult {
  if (url === undefined) return { to: userPath(person.username), done: 'mailed' };
  const words = `It works once, until ${exactTime(expires_at)}. Whoever has it can choose the password.`;
  return made(person, { heading: 'Here is the link for', secret: url, words });
}

/** A password that was made for a person, this once. */
export function madePassword(person: User, { heading, password }: { heading: string; password: string }): ActionResult {
  const words = 'Hand it over by a way that only they can read, and ask them to change it on their account page.';
  return made(person, { heading, secret: password, words });
}

function made(person: User, { words, ...page }: { heading: string; secret: string; words: string }): ActionResult {
  const name = nameOf(person);
  const crumb = { text: name, href: userPath(person.username) };
  return { made: { crumb, name, ...page, words: [words], pastes: [] } };
}
