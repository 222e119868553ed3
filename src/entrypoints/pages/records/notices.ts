import type { Context } from 'koa';
import { one } from '../signed-in.ts';

/** What was done, told on the page one comes back to. Only these sentences: an address must not put words on a page. */
const notices: Record<string, string> = {
  disabled: 'Disabled. Nothing that was issued before works any more.',
  saved: 'It is saved.',
  registered: 'It is registered, and works from now on.',
  mailed: 'The link is on its way to their e-mail address.',
  'signed-out': 'That browser is signed out.',
  rotated: 'The next key is made and published.',
  'key-disabled': 'Disabled. It is refused until it is enabled again.',
  'key-enabled': 'Enabled. It works again.',
  'key-revoked': 'The key is revoked: it is refused from now on.',
  enabled: 'Enabled again. Tokens from before stay dead.',
  revoked: 'Revoked. It was refused from that moment on.',
  'secret-revoked': 'The secret is revoked: it is refused from now on.',
  'role-given': 'The role is given. It counts from the next request on.',
  'role-taken': 'The role is taken away. It counts from the next request on.',
  'role-saved': 'The role is saved. It counts for everybody who has it, from the next request on.',
  'role-deleted': 'The role is deleted. Nobody has it any more.',
};

export function noticeIn(ctx: Context): string | undefined {
  return notices[one(ctx.query.done)];
}
