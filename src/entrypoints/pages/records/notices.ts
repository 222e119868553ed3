import type { Context } from 'koa';
import { type Catalogue, en } from '../languages/en.ts';
import { one } from '../signed-in.ts';

// Notices of the console only.
const consoleNotices: Record<string, string> = {
  disabled: 'Disabled. Nothing that was issued before is accepted any more.',
  registered: 'Registered. It is active now.',
  'test-mail-sent': 'The mail server accepted the test e-mail. It should arrive in your inbox within a few minutes.',
  mailed: 'The link has been sent to their e-mail address.',
  'factors-reset': 'Their sign-in methods are removed, and they are signed out everywhere.',
  'signed-out': 'The session is revoked.',
  rotated: 'The next signing key is created and published.',
  'delivery-requested': 'Sending now. The result appears under Deliveries.',
  'webhook-deleted': 'The webhook is deleted.',
  enabled: 'Enabled. Tokens from before stay revoked; API keys are accepted again.',
  revoked: 'Revoked. It is refused from now on.',
  'secret-revoked': 'The secret is revoked. It is refused from now on.',
  'account-linked': 'The account is linked.',
  'account-unlinked': 'The account is unlinked. Tokens that were issued for it are refused from now on.',
  'workload-deleted': 'The workload is deleted. Its tokens are refused from now on.',
  'secret-created': 'The secret is created.',
  'secret-deleted': 'The secret is deleted with all of its versions.',
  'version-written': 'The new version is the current one. Programs get it at their next read.',
  'version-deleted': 'The version is deleted. It is not readable until you undelete it.',
  'version-undeleted': 'The version is readable again.',
  'version-destroyed': 'The version is destroyed.',
  'rolled-back': 'The earlier value is the current one again, as a new version.',
  'credential-registered': 'The credential is registered.',
  'replacement-recorded': 'The replacement is recorded.',
  'term-rotated': 'New versions are encrypted under the new key. Existing ones follow in the background.',
  sealed: 'The secrets are sealed on every server.',
  unsealed: 'The secrets are open.',
  'share-given': 'The share is accepted. More shares are needed.',
  'role-given': 'The role is assigned. It applies from the next request.',
  'role-taken': 'The assignment is removed. It applies from the next request.',
  'role-saved': 'The role is saved. It applies to everyone who has it, from the next request.',
  'role-deleted': 'The role is deleted. No one has it any more.',
};

/** Notices after an action, shown on the page that follows: in the console, or of API keys. */
export function noticeIn(ctx: Context, { keys }: Catalogue = en): string | undefined {
  return noticeAmong({ ...consoleNotices, ...keys.notices }, ctx);
}

/** The sentence for a notice in an address. Only these: an address must not put text on a page. */
export function noticeAmong(notices: Readonly<Record<string, string>>, ctx: Context): string | undefined {
  const done = one(ctx.query.done);
  return Object.hasOwn(notices, done) ? notices[done] : undefined;
}
