import { digest } from '../../../platform/crypto/index.ts';
import type { Trx } from '../../../platform/database/index.ts';
import { readableLetters, readableSecret } from '../readable-secret.ts';
import { useRecoveryCode } from './store.ts';

const recoveryCodeCount = 10;

const form = { groups: 4, perGroup: 5 };
const shape = new RegExp(`^[${readableLetters}]{${form.groups * form.perGroup}}$`);

/** Ten codes of 99 random bits. */
export function generateRecoveryCodes(): string[] {
  return Array.from({ length: recoveryCodeCount }, () => readableSecret(form));
}

/** The normal form of a recovery code, for comparison; undefined: the text is not one. */
export function asRecoveryCode(typed: string): string | undefined {
  const code = typed.toLowerCase().replaceAll(/[\s-]/g, '');
  return shape.test(code) ? code : undefined;
}

/** The digest that is stored for a code. */
export function digestOfCode(code: string) {
  return digest(`recovery code ${asRecoveryCode(code) ?? ''}`);
}

/** Accepts a recovery code, once. */
export function takeRecoveryCode(trx: Trx, { user_id, code }: { user_id: string; code: string }): Promise<boolean> {
  return useRecoveryCode(trx, user_id, digestOfCode(code));
}
