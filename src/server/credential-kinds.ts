import { apiKeyKind } from '../domain/api-keys/index.ts';
import { rememberedBrowserKind } from '../domain/browsers/index.ts';
import { clientSecretKind } from '../domain/clients/index.ts';
import { grantKind } from '../domain/consents/index.ts';
import type { CredentialKind } from '../domain/credentials/index.ts';
import { webhookSecretKind } from '../domain/notifications/index.ts';
import { sessionKind } from '../domain/sessions/index.ts';
import { signingKeyKind } from '../domain/signing-keys/index.ts';
import { accessTokenKind, refreshTokenKind } from '../domain/tokens/index.ts';
import { passwordKind, passwordLinkKind } from '../domain/users/index.ts';
import { secretIdKind } from '../domain/vault-roles/index.ts';

/** Every kind of credential: the inventory, revocation by kind and id, leak reports and the console use this list. */
export const credentialKinds: readonly CredentialKind[] = [
  apiKeyKind,
  clientSecretKind,
  secretIdKind,
  signingKeyKind,
  webhookSecretKind,
  passwordKind,
  passwordLinkKind,
  sessionKind,
  rememberedBrowserKind,
  grantKind,
  refreshTokenKind,
  accessTokenKind,
];
