import type { z } from 'zod';
import type { PasswordLinkView } from '../../../../domain/users/index.ts';
import { exactTime } from '../../times.ts';
import type { Done } from '../actions.ts';
import { type Person, personName, personPath, section } from './detail.ts';

/** A link with which a person chooses their password, this once; or where it was mailed. */
export function madeLink(person: Person, { url, expires_at }: z.output<typeof PasswordLinkView>): Done {
  if (url === undefined) return { to: personPath(person.username), done: 'mailed' };
  const words = `It works once, until ${exactTime(expires_at)}. Whoever has it can choose the password.`;
  return made(person, { heading: 'Here is the link for', secret: url, words });
}

/** A password that was made for a person, this once. */
export function madePassword(person: Person, { heading, password }: { heading: string; password: string }): Done {
  const words = 'Hand it over by a way that only they can read, and ask them to change it on their account page.';
  return made(person, { heading, secret: password, words });
}

function made(person: Person, { words, ...page }: { heading: string; secret: string; words: string }): Done {
  const name = personName(person);
  const crumb = { text: name, href: personPath(person.username) };
  return { made: { section, crumb, name, ...page, words: [words], pastes: [] } };
}
