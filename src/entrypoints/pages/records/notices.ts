import type { Context } from 'koa';
import { one } from '../signed-in.ts';

/** What was done, said on the page that follows. Only these sentences: an address must not put words on a page. */
const notices: Record<string, string> = {
  disabled: 'Disabled. Nothing that was issued before is accepted any more.',
  saved: 'Saved.',
  registered: 'Registered. It is active now.',
  mailed: 'The link has been sent to their e-mail address.',
  'signed-out': 'The session is revoked.',
  rotated: 'The next signing key is created and published.',
  'key-disabled': 'Disabled. The key is refused until you enable it again.',
  'key-enabled': 'Enabled. The key is accepted again.',
  'key-revoked': 'The key is revoked. It is refused from now on.',
  'delivery-requested': 'Sending now. The result appears under Deliveries.',
  'webhook-deleted': 'The webhook is deleted.',
  enabled: 'Enabled. Tokens from before stay revoked; API keys are accepted again.',
  revoked: 'Revoked. It is refused from now on.',
  'secret-revoked': 'The secret is revoked. It is refused from now on.',
  'role-given': 'The role is assigned. It applies from the next request.',
  'role-taken': 'The assignment is removed. It applies from the next request.',
  'role-saved': 'The role is saved. It applies to everyone who has it, from the next request.',
  'role-deleted': 'The role is deleted. No one has it any more.',
};

export function noticeIn(ctx: Context): string | undefined {
  return notices[one(ctx.query.done)];
}
