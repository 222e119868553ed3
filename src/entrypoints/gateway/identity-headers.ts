import type { Verdict } from './schemas.ts';

const mostHeaderLength = 4000;

/** The caller as headers; all are empty if there is none. */
export function identityOf(verdict: Partial<Verdict>): readonly (readonly [name: string, value: string])[] {
  const { subject = '', subject_kind = '', client_id = '', key_id = '', environment = '', permissions = [] } = verdict;
  const held = permissions.join(' ');
  return [
    ['X-Latchkey-Subject', subject],
    ['X-Latchkey-Subject-Kind', subject_kind],
    ['X-Latchkey-Client-Id', client_id],
    ['X-Latchkey-Credential', verdict.credential ?? ''],
    ['X-Latchkey-Key-Id', key_id],
    ['X-Latchkey-Environment', environment],
    ['X-Latchkey-Permissions', held.length <= mostHeaderLength ? held : ''],
    ['X-Latchkey-Expires-At', verdict.expires_at?.toISOString() ?? ''],
  ];
}
