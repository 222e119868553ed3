/**
 * Everything the audit log records. Each is described in docs/audit-events.md; a test fails on one that is missing there.
 * `noun.verb` in the past tense.
 */
export const auditActions = [
  'access_token.issued',
  'access_token.renewed',
  'access_token.revoked',
  'admin.refused',
  'api_key.created',
  'api_key.disabled',
  'api_key.enabled',
  'api_key.revoked',
  'api_key.rotated',
  'api_key.updated',
  'audit.exported',
  'audit.personal_details_erased',
  'audit.pruned',
  'authorization_code.issued',
  'authorization_code.reuse',
  'backchannel_logout.delivered',
  'client.created',
  'client.disabled',
  'client.refused',
  'client.secret.created',
  'client.secret.revoked',
  'client.secret.rotated',
  'client.updated',
  'consent.denied',
  'consent.given',
  'consent.revoked',
  'credential.leaked',
  'device_code.reuse',
  'grant.revoked',
  'mail.tested',
  'recovery.refused',
  'refresh_token.replay_refused',
  'refresh_token.replayed',
  'refresh_token.reuse',
  'refresh_token.revoked',
  'refresh_token.rotated',
  'resource_server.created',
  'resource_server.disabled',
  'resource_server.updated',
  'restore.begun',
  'restore.checked',
  'restore.reapplied',
  'role.assigned',
  'role.created',
  'role.deleted',
  'role.unassigned',
  'role.updated',
  'secret.deleted',
  'secret.described',
  'secret.destroyed',
  'secret.listed',
  'secret.read',
  'secret.refused',
  'secret.removed',
  'secret.undeleted',
  'secret.unreadable',
  'secret.updated',
  'secret.written',
  'session.confirmed',
  'session.ended',
  'session.refused',
  'session.started',
  'setup_link.created',
  'signing_key.created',
  'tokens.revoked',
  'trust.created',
  'trust.disabled',
  'trust.refused',
  'trust.updated',
  'user.created',
  'user.data_downloaded',
  'user.deleted',
  'user.disabled',
  'user.email_change_requested',
  'user.email_changed',
  'user.email_unverified',
  'user.email_verified',
  'user.password_changed',
  'user.password_chosen',
  'user.password_link_created',
  'user.password_set',
  'user.updated',
  'vault.initialized',
  'vault.sealed',
  'vault.unsealed',
  'webhook.created',
  'webhook.deleted',
  'webhook.disabled',
  'webhook.redelivered',
  'webhook.secret.rotated',
  'webhook.tested',
  'webhook.updated',
] as const;

export type AuditAction = (typeof auditActions)[number];

/** Actions under the names that older versions recorded. The rows keep them: the chain's digests cover the stored names. */
export const earlierNames: Readonly<Record<string, AuditAction>> = { 'consent.taken_back': 'consent.revoked' };

/** The present name of a recorded action. */
export function presentName(action: string): string {
  return earlierNames[action] ?? action;
}

/** Every name under which an action may be stored, given any of its names. */
export function storedNames(action: string): string[] {
  const present = presentName(action);
  return [present, ...Object.keys(earlierNames).filter((name) => earlierNames[name] === present)];
}
