import { z } from 'zod';

const most = 100_000;
const text = z.string().max(4096);
const attributes = z.record(z.string(), z.unknown());

const Credential = z.object({
  type: text,
  secretData: text.nullish(),
  credentialData: text.nullish(),
  temporary: z.boolean().nullish(),
  // Before version 8, and in files that are written by hand.
  value: text.nullish(),
  hashedSaltedValue: text.nullish(),
  salt: text.nullish(),
  hashIterations: z.number().nullish(),
  algorithm: text.nullish(),
  digits: z.number().nullish(),
  period: z.number().nullish(),
});

/** Parses JSON in a text. */
export function parsedText(json: string | null | undefined): unknown {
  try {
    return JSON.parse(json ?? '');
  } catch {
    return undefined;
  }
}

const FederatedIdentity = z.object({ identityProvider: text, userId: text.nullish() });

type KeycloakGroup = {
  name: string;
  path?: string | null | undefined;
  realmRoles: string[];
  clientRoles: object;
  subGroups: KeycloakGroup[];
};
const KeycloakGroup: z.ZodType<KeycloakGroup> = z.object({
  name: text,
  path: text.nullish(),
  realmRoles: z.array(text).default([]),
  clientRoles: attributes.default({}),
  get subGroups() {
    return z.array(KeycloakGroup).default([]);
  },
});

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
  federatedIdentities: z.array(FederatedIdentity).default([]),
  attributes: attributes.nullish(),
  requiredActions: z.array(text).default([]),
  federationLink: text.nullish(),
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
  webOrigins: z.array(text).default([]),
  attributes: attributes.nullish(),
  protocolMappers: z.array(z.object({ name: text })).default([]),
  authorizationServicesEnabled: z.boolean().nullish(),
});
export type KeycloakClient = z.infer<typeof KeycloakClient>;

const KeycloakRole = z.object({
  name: text,
  description: text.nullish(),
  composite: z.boolean().default(false),
  composites: z.object({ realm: z.array(text).default([]), client: attributes.default({}) }).nullish(),
});

/** The members of an exported realm that are read; other members are only counted, or have no counterpart. */
export const Realm = z.object({
  realm: text,
  users: z.array(KeycloakUser).max(most).default([]),
  clients: z.array(KeycloakClient).max(most).default([]),
  roles: z
    .object({
      realm: z.array(KeycloakRole).default([]),
      client: z.record(z.string(), z.array(z.unknown())).default({}),
    })
    .prefault({}),
  groups: z.array(KeycloakGroup).default([]),
  identityProviders: z
    .array(z.object({ alias: text, providerId: text.default(''), config: attributes.nullish() }))
    .default([]),
  bruteForceProtected: z.boolean().default(false),
  components: attributes.default({}),
  authenticationFlows: z.array(z.object({ alias: text, builtIn: z.boolean().default(false) })).default([]),
  clientScopes: z.array(z.object({ name: text })).default([]),
  organizations: z.array(z.unknown()).default([]),
  passwordPolicy: text.nullish(),
  smtpServer: attributes.default({}),
});
export type Realm = z.infer<typeof Realm>;

// A number or its text: versions of Keycloak differ.
const count = z.coerce.number().int();
const one = z.union([z.array(text).nonempty(), text]).transform((value) => [value].flat()[0] ?? '');

export const SecretData = z.object({ value: text, salt: text.default('') });
export const CredentialData = z.object({
  algorithm: text.default('pbkdf2-sha256'),
  hashIterations: count.default(1),
  additionalParameters: z.object({ type: one, memory: one, parallelism: one, version: one }).partial().nullish(),
});
