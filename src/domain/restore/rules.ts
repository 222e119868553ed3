import { removeRole } from '../access/index.ts';
import { eraseAddresses } from '../access-records/index.ts';
import { disableApiKey, expireEarlierVersions, revokeApiKey } from '../api-keys/index.ts';
import { type AuditAction, erasePersonalDetails } from '../audit/index.ts';
import { forgetBrowsersOf } from '../browsers/index.ts';
import { disableClient, expireClientSecrets, revokeClientSecret } from '../clients/index.ts';
import { revokeConsent, revokeGrant } from '../consents/index.ts';
import { unlinkIdentity } from '../identities/index.ts';
import { changeWebhook } from '../notifications/index.ts';
import { disableResourceServer } from '../resource-servers/index.ts';
import { type Handle, revoke } from '../revocation/index.ts';
import { endRestoredVersions, removeRestoredSecret } from '../secrets/index.ts';
import { revokeSession } from '../sessions/index.ts';
import { revokeTokenByShortId } from '../tokens/index.ts';
import { disableTrust } from '../trusts/index.ts';
import {
  deleteAccount,
  deleteFactors,
  deletePasswordLinks,
  disableUser,
  forgetPassword,
  unverifyEmail,
} from '../users/index.ts';
import { type Consequence, decide, endingFamily, nothing, orNothing, type Rule, verb, write } from './consequence.ts';
import { idOf, isNowDisabled, type LaterEvent, overlapEnd, text, texts } from './later-event.ts';
import { assigning, unassigning } from './role-rules.ts';

const endsFamily: Rule = ({ details }) => endingFamily(text(details.family_id));

const endsPassword: Rule = (event) =>
  write(
    'restored password removed, because it was replaced after the backup; one-time links removed, signed out everywhere',
    (trx, now) => forgetPassword(trx, idOf(event), now),
    'has no password: create a one-time link with "latchkey user password-link"',
  );

const endsFactors =
  (says: string, only: (event: LaterEvent) => { id?: string; kind?: 'recovery_code' }, advice?: string): Rule =>
  (event) =>
    write(says, async (trx) => (await deleteFactors(trx, idOf(event), only(event))) > 0, advice);

const endsRecoveryCodes = endsFactors(
  'restored recovery codes removed, because some were used or replaced after the backup',
  () => ({ kind: 'recovery_code' }),
  'has no recovery codes: they create new ones in their account',
);

const endsSession: Rule = (event) => verb('signed out', (deps, actor) => revokeSession(deps, actor, idOf(event)));

/** Every action has a rule: a new action without one does not compile. */
const rules: Readonly<Record<AuditAction, Rule>> = {
  'access_token.issued': nothing,
  'access_token.renewed': nothing,
  'access_token.revoked': (event) =>
    write('access token revoked', (trx, now) => revokeTokenByShortId(trx, idOf(event), now)),
  'admin.refused': nothing,
  'api_key.created': decide('no longer exists: create it again'),
  'api_key.disabled': (event) => verb('disabled', (deps, actor) => disableApiKey(deps, actor, { id: idOf(event) })),
  'api_key.enabled': decide('was enabled: enable it again if needed'),
  'api_key.revoked': (event) => endsKeys(event),
  'api_key.rotated': (event) =>
    write(
      'versions from before the rotation expired, or expire when their overlap ends',
      (trx, now) =>
        expireEarlierVersions(trx, {
          id: idOf(event),
          number: Number(event.details.number),
          ends_at: overlapEnd(event, now),
        }),
      'its newest version is unknown here: rotate it again and distribute the new value',
    ),
  'api_key.updated': decide('has its earlier state again: compare permissions, restrictions and expiry'),
  'audit.exported': nothing,
  'audit.personal_details_erased': (event) =>
    verb('personal details erased', async (deps, actor) => {
      const kind = event.target_kind === 'client' ? 'client' : 'user';
      await erasePersonalDetails(deps, actor, { kind, id: idOf(event) });
      if (kind === 'user') await eraseAddresses(deps.db, idOf(event));
    }),
  'audit.pruned': decide('older events were restored: prune the log again'),
  'authorization_code.issued': nothing,
  'authorization_code.reuse': endsFamily,
  'backchannel_logout.delivered': nothing,
  'client.created': (event) =>
    // A trust registers its workloads again at their next request.
    event.details.type === 'workload'
      ? {}
      : { advice: 'no longer exists: register it again, e.g. with "latchkey apply"' },
  'client.deleted': nothing,
  'client.disabled': (event) => verb('disabled', (deps, actor) => disableClient(deps, actor, idOf(event))),
  'client.refused': nothing,
  'client.secret.created': decide('a secret is unknown here: add a new one and distribute it'),
  'client.secret.revoked': (event) =>
    verb('secret revoked', (deps, actor) =>
      revokeClientSecret(deps, actor, { client_id: idOf(event), secret_id: text(event.details.secret_id) }),
    ),
  'client.secret.rotated': (event) =>
    write('older secrets expired, or expire when their overlap ends', (trx, now) =>
      expireClientSecrets(trx, {
        client_id: idOf(event),
        secret_ids: texts(event.details.previous),
        ends_at: overlapEnd(event, now),
      }),
    ),
  'client.updated': (event) => ({
    ...(isNowDisabled(event) && verb('disabled', (deps, actor) => disableClient(deps, actor, idOf(event)))),
    advice: 'has its registration from before this change again',
  }),
  'consent.denied': nothing,
  'consent.given': (event) =>
    verb('restored consent revoked, because it is out of date; the user is asked again', (deps, actor) =>
      revokeConsent(deps, actor, text(event.details.consent_id)),
    ),
  'consent.revoked': (event) =>
    verb('consent revoked', (deps, actor) => revokeConsent(deps, actor, text(event.details.consent_id))),
  'credential.leaked': (event) =>
    event.details.policy === 'revoke' ? {} : { advice: 'was found in public and is still active: revoke it' },
  'device_code.reuse': endsFamily,
  'grant.revoked': (event) => verb('grant revoked', (deps, actor) => revokeGrant(deps, actor, idOf(event))),
  'identity.linked': decide('the account is not linked here: link it again if needed'),
  'identity.unlinked': (event) =>
    verb('account unlinked', (deps, actor) =>
      unlinkIdentity(deps, actor, { user_id: idOf(event), id: text(event.details.identity_id) }),
    ),
  'mail.tested': nothing,
  'recovery.refused': nothing,
  'refresh_token.replay_refused': nothing,
  'refresh_token.replayed': nothing,
  'refresh_token.reuse': endsFamily,
  'refresh_token.revoked': (event) => endingFamily(idOf(event)),
  'refresh_token.rotated': endsFamily,
  'resource_server.created': decide('no longer exists: register it again, e.g. with "latchkey apply"'),
  'resource_server.disabled': (event) =>
    verb('disabled', (deps, actor) => disableResourceServer(deps, actor, idOf(event))),
  'resource_server.updated': (event) => ({
    ...(isNowDisabled(event) && verb('disabled', (deps, actor) => disableResourceServer(deps, actor, idOf(event)))),
    advice: 'has its registration from before this change again',
  }),
  'restore.begun': nothing,
  'restore.checked': nothing,
  'restore.reapplied': nothing,
  'role.assigned': assigning,
  'role.created': decide('no longer exists: create it again'),
  'role.deleted': (event) => verb('role deleted', (deps, actor) => removeRole(deps, actor, idOf(event))),
  'role.unassigned': unassigning,
  'role.updated': decide('has its permissions from before this change again'),
  'secret.deleted': (event) => endsVersions(event, 'deleted'),
  'secret.described': nothing,
  'secret.destroyed': (event) => endsVersions(event, 'destroyed'),
  'secret.listed': nothing,
  'secret.read': nothing,
  'secret.refused': nothing,
  'secret.removed': (event) => write('secret deleted', (trx) => removeRestoredSecret(trx, idOf(event))),
  'secret.searched': nothing,
  'secret.undeleted': nothing,
  'secret.unreadable': nothing,
  'secret.defaults.changed': decide('new secrets have the settings from before this change again'),
  'secret.updated': decide('has its settings from before this change again'),
  'secret.written': decide('a newer version is unknown here: write it again'),
  'session.confirmed': endsSession,
  'session.ended': endsSession,
  'session.refused': nothing,
  'session.started': nothing,
  'sign_up.link_created': nothing,
  'sign_up.refused': nothing,
  'setup_link.created': nothing,
  'sign_in_policy.updated': decide('the sign-in policy is from before this change again: change it again if needed'),
  'signing_key.created': nothing,
  'tokens.revoked': (event) => {
    const handle = handleOf(event);
    return handle ? verb('everything issued until then revoked', (deps, actor) => revoke(deps, actor, handle)) : {};
  },
  'trust.created': decide('no longer exists: create it again, e.g. with "latchkey apply"'),
  'trust.disabled': (event) => verb('disabled', (deps, actor) => disableTrust(deps, actor, idOf(event))),
  'trust.refused': nothing,
  'trust.updated': (event) => ({
    ...(isNowDisabled(event) && verb('disabled', (deps, actor) => disableTrust(deps, actor, idOf(event)))),
    advice: 'has its conditions, keys and permissions from before this change again: compare them',
  }),
  'user.browser_forgotten': (event) =>
    write('remembered browsers forgotten', (trx) => forgetBrowsersOf(trx, idOf(event))),
  'user.browser_remembered': nothing,
  'user.created': decide('no longer exists: create the user again'),
  'user.data_downloaded': nothing,
  'user.deleted': (event) =>
    verb('deleted again, with the personal details', (deps, actor) => deleteAccount(deps, actor, idOf(event))),
  'user.disabled': (event) => verb('disabled', (deps, actor) => disableUser(deps, actor, idOf(event))),
  'user.email_change_requested': nothing,
  'user.email_changed': decide('has its earlier e-mail address again'),
  'user.email_unverified': (event) =>
    verb('e-mail address marked as not verified', (deps, actor) => unverifyEmail(deps, actor, idOf(event))),
  'user.email_verified': decide('has an e-mail address that is no longer verified'),
  'user.enrolment_link_created': nothing,
  'user.factor_added': decide('added a passkey or an authenticator app, which is unknown here: they add it again'),
  'user.factor_removed': endsFactors('sign-in method removed', ({ details }) => ({ id: text(details.id) })),
  'user.factor_renamed': nothing,
  'user.factors_reset': endsFactors('sign-in methods removed', () => ({})),
  'user.new_browser': nothing,
  'user.password_changed': endsPassword,
  'user.password_chosen': endsPassword,
  'user.password_link_created': (event) =>
    write('password reset links removed', (trx) => deletePasswordLinks(trx, idOf(event))),
  'user.password_set': endsPassword,
  'user.recovery_code_used': endsRecoveryCodes,
  'user.recovery_codes_created': endsRecoveryCodes,
  'user.sign_in_code_mailed': nothing,
  'user.updated': (event) => ({
    ...(isNowDisabled(event)
      ? verb('disabled', (deps, actor) => disableUser(deps, actor, idOf(event)))
      : write('password reset links removed', (trx) => deletePasswordLinks(trx, idOf(event)))),
    advice: `has its earlier values again: ${texts(event.details.changed).join(', ') || 'unknown'}`,
  }),
  'vault.auth.configured': decide('finds the issuer of its roles as before again: configure it again'),
  // The events of its trust define what to do.
  'vault.auth_role.deleted': nothing,
  'vault.auth_role.written': nothing,
  'vault.initialized': nothing,
  // The events of its role define what to do.
  'vault.policy.deleted': nothing,
  'vault.policy.written': nothing,
  'vault.role.deleted': decide('is a role of AppRole again: delete it again'),
  'vault.role.written': decide('has its earlier limits again, or no longer exists: write it again'),
  'vault.secret_id.created': nothing,
  'vault.secret_id.revoked': decide('has a secret id again that was revoked: revoke it again by its accessor'),
  'vault.token_role.deleted': decide('is a role of tokens again: delete it again'),
  'vault.token_role.written': decide('has its earlier limits again, or no longer exists: write it again'),
  'vault.unwrapped': nothing,
  'vault.wrapping.revoked': decide('can be opened again: revoke it again by its accessor'),
  'vault.rekeyed': decide('is opened by the earlier shares again: replace them again'),
  'vault.rewrapped': nothing,
  'vault.rotated': decide('has the keys of the earlier term again: rotate them again'),
  'vault.sealed': decide('was sealed: seal it again if needed'),
  'vault.unsealed': nothing,
  'webhook.created': decide('no longer exists: register it again'),
  'webhook.deleted': (event) => stopsWebhook(event),
  'webhook.disabled': (event) => stopsWebhook(event),
  'webhook.redelivered': nothing,
  'webhook.secret.rotated': decide('signs with its previous secret again: rotate it'),
  'webhook.tested': nothing,
  'webhook.updated': (event) => ({
    ...(event.details.enabled === false ? stopsWebhook(event) : {}),
    advice: 'has its registration from before this change again',
  }),
};

/** Destroyed versions stay destroyed, whatever the backup contains. */
function endsVersions(event: LaterEvent, how: 'deleted' | 'destroyed'): Consequence {
  const { versions } = event.details;
  const numbers = Array.isArray(versions) ? versions.filter((number) => Number.isInteger(number)) : [];
  return write(`versions ${how}`, (trx, at) => endRestoredVersions(trx, { path: idOf(event), numbers, how, at }));
}

/** One key, or those that the event of a bulk revocation names: at most a thousand. */
function endsKeys(event: LaterEvent): Consequence {
  const { key_ids, count } = event.details;
  const ids = event.target_id === null ? texts(key_ids) : [event.target_id];
  const unnamed = event.target_id === null ? Number(count) - ids.length : 0;
  const advice =
    unnamed > 0 ? `${unnamed} more API keys were revoked that the event does not list: revoke them` : undefined;
  return verb(
    'API keys revoked',
    async (deps, actor) => {
      for (const id of ids) await orNothing(revokeApiKey(deps, actor, { id }));
    },
    advice,
  );
}

function stopsWebhook(event: LaterEvent): Consequence {
  return verb('disabled', (deps, actor) =>
    changeWebhook(deps, actor, { id: idOf(event), patch: { enabled: false }, ifVersion: undefined }),
  );
}

function handleOf({ target_kind, target_id, details }: LaterEvent): Handle | undefined {
  if (target_kind === 'user' && target_id) return { user: `id:${target_id}` };
  if (target_kind === 'client' && target_id) return { client_id: target_id };
  if (target_kind === 'resource_server' && target_id) return { resource_server: target_id };
  const before = new Date(text(details.before));
  return Number.isNaN(before.getTime()) ? undefined : { issued_before: before };
}

/** The consequence of an event. An unknown action of a newer version is left to the administrator. */
export function consequenceOf(event: LaterEvent): Consequence {
  if (event.outcome === 'failure' && !event.action.endsWith('.reuse')) return {};
  if (!(event.action in rules)) return { advice: 'is an action that this version does not know' };
  return rules[event.action as AuditAction](event);
}
