import { accessRecords } from './access-records/section.ts';
import { apiKeys } from './api-keys/section.ts';
import { auditLog } from './audit-log/section.ts';
import { clients } from './clients/section.ts';
import { consents } from './consents/section.ts';
import { credentials } from './credentials/section.ts';
import { grants } from './grants/section.ts';
import { resourceServers } from './resource-servers/section.ts';
import { roles } from './roles/section.ts';
import { secrets } from './secrets/section.ts';
import type { ConsoleSection } from './section.ts';
import { sessions } from './sessions/section.ts';
import { settings } from './settings/section.ts';
import { signingKeys } from './signing-keys/section.ts';
import { trusts } from './trusts/section.ts';
import { users } from './users/section.ts';
import { webhooks } from './webhooks/section.ts';

/** The sections of the console, in the order of its sidebar; sections of one group follow one another. */
export const consoleSections: readonly ConsoleSection[] = [
  clients,
  resourceServers,
  trusts,
  users,
  roles,
  sessions,
  consents,
  grants,
  apiKeys,
  credentials,
  secrets,
  signingKeys,
  auditLog,
  accessRecords,
  webhooks,
  settings,
];
