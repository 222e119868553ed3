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
