import { z } from 'zod';

const most = 100_000;
const text = z.string().max(4096);
const attributes = z.record(z.string(), z.unknown());

const Credential = z.object({ type: text, secretData: text.optional(), credentialData: text.optional() });

const KeycloakUser = z.object({
  id: text.optional(),
  username: text,
  email: text.nullish(),
  emailVerified: z.boolean().default(false),
  firstName: text.nullish(),
  lastName: text.nullish(),
  enabled: z.boolean().default(true),
  serviceAccountClientId: text.nullish(),
  credentials: z.array(Credential).default([]),
  realmRoles: z.array(text).default([]),
  clientRoles: attributes.default({}),
  groups: z.array(text).default([]),
  federatedIdentities: z.array(z.unknown()).default([]),
  attributes: attributes.nullish(),
});
export type KeycloakUser = z.infer<typeof KeycloakUser>;

const KeycloakClient = z.object({
  clientId: text,
  name: text.nullish(),
  enabled: z.boolean().default(true),
  protocol: text.default('openid-connect'),
  secret: text.nullish(),
  publicClient: z.boolean().default(false),
  bearerOnly: z.boolean().default(false),
  standardFlowEnabled: z.boolean().default(true),
  serviceAccountsEnabled: z.boolean().default(false),
  implicitFlowEnabled: z.boolean().default(false),
  directAccessGrantsEnabled: z.boolean().default(false),
  clientAuthenticatorType: text.default('client-secret'),
  redirectUris: z.array(text).default([]),
});
export type KeycloakClient = z.infer<typeof KeycloakClient>;

/** What is read of a realm that Keycloak exported; whatever else it has is counted, or has no counterpart. */
export const Realm = z.object({
  realm: text,
  users: z.array(KeycloakUser).max(most).default([]),
  clients: z.array(KeycloakClient).max(most).default([]),
  roles: z
    .object({
      realm: z
        .array(z.object({ name: text, description: text.nullish(), composite: z.boolean().default(false) }))
        .default([]),
      client: attributes.default({}),
    })
    .prefault({}),
  groups: z.array(z.unknown()).default([]),
  identityProviders: z.array(z.unknown()).default([]),
  components: attributes.default({}),
});
export type Realm = z.infer<typeof Realm>;

// A number, or a text of one, as versions of Keycloak differ.
const count = z.coerce.number().int();
const one = z.union([z.array(text).nonempty(), text]).transform((value) => [value].flat()[0] ?? '');

export const SecretData = z.object({ value: text, salt: text.default('') });
export const CredentialData = z.object({
  algorithm: text.default('pbkdf2-sha256'),
  hashIterations: count.default(1),
  additionalParameters: z.object({ type: one, memory: one, parallelism: one, version: one }).partial().nullish(),
});
