import type { AuditAction } from '../../../../domain/audit/index.ts';

/** The page of an audit event. */
export const eventPath = (id: string) => `/console/audit-log/${id}`;

/** Actions whose name alone would not say what happened. */
const sentences: Partial<Record<AuditAction, string>> = {
  'admin.refused': 'Request to the admin API denied',
  'audit.exported': 'Audit log exported',
  'audit.personal_details_erased': 'Personal details erased from the audit log',
  'audit.pruned': 'Oldest part of the audit log removed',
  'authorization_code.reuse': 'Authorization code used again',
  'backchannel_logout.delivered': 'Back-channel logout delivered',
  'client.refused': 'Client authentication refused',
  'credential.leaked': 'Credential found in public',
  'device_code.reuse': 'Device code used again',
  'identity.linked': 'Linked account added',
  'identity.unlinked': 'Linked account removed',
  'mail.tested': 'Test e-mail sent',
  'recovery.refused': 'Password reset link not sent',
  'refresh_token.replay_refused': 'Refresh retried too often',
  'refresh_token.replayed': 'Refresh retried',
  'refresh_token.reuse': 'Old refresh token used again',
  'restore.begun': 'Check after a restore started',
  'restore.checked': 'Check after a restore finished',
  'restore.reapplied': 'Revocation repeated after a restore',
  'secret.described': 'Secret versions listed',
  'secret.listed': 'Secrets listed',
  'secret.refused': 'Access to a secret denied',
  'secret.searched': 'Secrets searched for a value',
  'secret.unreadable': 'Secret could not be decrypted',
  'secret.defaults.changed': 'Settings of new secrets updated',
  'secret.updated': 'Secret settings updated',
  'session.confirmed': 'Sign-in confirmed',
  'session.ended': 'Signed out',
  'session.refused': 'Sign-in refused',
  'session.started': 'Signed in',
  'sign_in_policy.updated': 'Sign-in policy updated',
  'sign_up.link_created': 'Sign-up link sent',
  'sign_up.refused': 'Sign-up link not sent',
  'trust.refused': 'Token of another issuer refused',
  'user.browser_forgotten': 'Remembered browser removed',
  'user.browser_remembered': 'Browser remembered',
  'user.data_downloaded': 'Account data downloaded',
  'user.email_change_requested': 'Change of e-mail address requested',
  'user.email_changed': 'E-mail address changed',
  'user.email_unverified': 'E-mail address no longer verified',
  'user.email_verified': 'E-mail address verified',
  'user.enrolment_link_created': 'Link to add a second factor created',
  'user.factor_added': 'Sign-in method added',
  'user.factor_removed': 'Sign-in method removed',
  'user.factor_renamed': 'Passkey renamed',
  'user.factors_reset': 'Sign-in methods reset',
  'user.new_browser': 'Signed in with a new browser',
  'user.password_changed': 'Password changed',
  'user.password_chosen': 'Password set with a link',
  'user.password_link_created': 'Password reset link created',
  'user.password_set': 'Password set by another user',
  'user.recovery_code_used': 'Recovery code used',
  'user.recovery_codes_created': 'Recovery codes created',
  'user.sign_in_code_mailed': 'Sign-in code sent',
  'vault.auth.configured': 'Vault auth method configured',
  'vault.auth_role.deleted': 'Role of a Vault auth method deleted',
  'vault.auth_role.written': 'Role of a Vault auth method saved',
  'vault.policy.written': 'Vault policy saved',
  'vault.rekeyed': 'Unseal keys replaced',
  'vault.rewrapped': 'Secrets encrypted with the newest key',
  'vault.role.deleted': 'AppRole role deleted',
  'vault.role.written': 'AppRole role saved',
  'vault.rotated': 'New key for secrets created',
  'vault.sealed': 'Secrets sealed',
  'vault.initialized': 'Keys for secrets created',
  'vault.secret_id.created': 'AppRole secret ID created',
  'vault.secret_id.revoked': 'AppRole secret ID revoked',
  'vault.token_role.deleted': 'Vault token role deleted',
  'vault.token_role.written': 'Vault token role saved',
  'vault.unsealed': 'Secrets unsealed',
  'vault.unwrapped': 'Wrapped response opened',
  'webhook.redelivered': 'Webhook message sent again',
  'webhook.tested': 'Webhook test message sent',
};

/** An action of the audit log in words: `client.secret.rotated` is "Client secret rotated". */
export function actionWords(action: string): string {
  const sentence = sentences[action as AuditAction];
  if (sentence) return sentence;
  const words = action
    .replaceAll(/[._]/g, ' ')
    .replace(/^api key/, 'API key')
    .replace(/^resource server/, 'API');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
