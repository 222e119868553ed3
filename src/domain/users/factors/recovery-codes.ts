import { randomInt } from 'node:crypto';
import { digest } from '../../../platform/crypto/index.ts';
import type { Trx } from '../../../platform/database/index.ts';
import { useRecoveryCode } from './store.ts';

const recoveryCodeCount = 10;

// Without what looks alike.
const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
const groups = 4;
const perGroup = 5;
const shape = new RegExp(`^[${letters}]{${groups * perGroup}}$`);

/** Ten codes of 99 random bits, in groups that are easy to read and type. */
export function generateRecoveryCodes(): string[] {
  const group = () => Array.from({ length: perGroup }, () => letters.charAt(randomInt(letters.length))).join('');
  return Array.from({ length: recoveryCodeCount }, () => Array.from({ length: groups }, group).join('-'));
}

/** A recovery code as it is compared; undefined: it is none. */
export function asRecoveryCode(typed: string): string | undefined {
  const code = typed.toLowerCase().replaceAll(/[\s-]/g, '');
  return shape.test(code) ? code : undefined;
}

/** What is stored of a code. */
export function digestOfCode(code: string) {
  return digest(`recovery code ${asRecoveryCode(code) ?? ''}`);
}

/** Takes a recovery code, once. */
export function takeRecoveryCode(trx: Trx, { user_id, code }: { user_id: string; code: string }): Promise<boolean> {
  return useRecoveryCode(trx, user_id, digestOfCode(code));
}
