import { randomInt } from 'node:crypto';

/** Letters and digits without those that look alike. */
export const readableLetters = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A random secret in groups that are easy to read and type: nearly five bits a letter. */
export function readableSecret({ groups, perGroup }: { groups: number; perGroup: number }): string {
  const letter = () => readableLetters.charAt(randomInt(readableLetters.length));
  const group = () => Array.from({ length: perGroup }, letter).join('');
  return Array.from({ length: groups }, group).join('-');
}
