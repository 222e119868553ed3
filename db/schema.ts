import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from 'kysely';
import type { Digest, Sealed } from '../src/platform/crypto/index.ts';

/** Free payloads: read as parsed JSON, written as text. */
type Json = JSONColumnType<Record<string, unknown>>;
type NullableJson = ColumnType<Record<string, unknown> | null, string | null, string | null>;
/** `bigint` arrives as text: it may pass 2^53. */
type BigInt64 = ColumnType<string, string | number, string | number>;

/** A list of texts, empty by default. */
type GeneratedJson = ColumnType<string[], string | undefined, string>;
type GeneratedBigInt64 = ColumnType<string, string | number | undefined, string | number>;

/** `requested`: to be sent (again), independent of the order of the log. */
export type DeliveryState = 'delivered' | 'retrying' | 'dead' | 'requested';
/** Who verified an e-mail address. */
export type EmailVerifier = 'link' | 'administrator' | 'import' | 'provider';
export type ClientType = 'web' | 'spa' | 'native' | 'service' | 'agent' | 'workload';
/** How a client was registered: by an operator, from its metadata document, by dynamic registration, or by a trust. */
export type RegisteredBy = 'operator' | 'document' | 'dynamic' | 'trust';
/** The clients that may request access to an API from users. */
export type OpenTo = 'registered' | 'documented' | 'anyone';
/**
 * `workload`: programs that act for themselves; `id_jag`: users, for whom clients present identity assertions; `login`: users, who sign in
 * with an identity provider.
 */
export type TrustKind = 'workload' | 'id_jag' | 'login';
/** How users sign in with an identity provider. */
export type LoginSettings = {
  provider: 'oidc' | 'google' | 'microsoft' | 'github';
  client_id: string;
  scopes?: string[] | undefined;
  label?: string | undefined;
  /** The domains for which the provider is authoritative. */
  email_domains: string[];
  creation: 'off' | 'domains' | 'open';
  for_administrators: boolean;
  /** Absent in rows of older versions. */
  role_mappings?: RoleMapping[] | undefined;
  /** For how many days after a sign-in the mapped roles are valid; absent in rows of older versions. */
  mapped_role_days?: number | undefined;
};
/** Sign-in methods. */
export type FactorKind = 'password' | 'passkey' | 'totp' | 'recovery_code' | 'provider' | 'email_code';
/** The role of an account whose claim meets a condition. The id identifies the role, because its name may be another role's by now. */
export type RoleMapping = ClaimCondition & { role: string; role_id: string };
/** The condition for a claim of a token: equal to a value, one of several, or a prefix that ends with a segment. */
export type ClaimCondition = { claim: string } & ({ equals: string } | { one_of: string[] } | { prefix: string });
/** The HTTP validators of a response (RFC 9110 §8.8), as the host sent them. */
type StoredValidators = { etag?: string; last_modified?: string };
/** The validators of a metadata document, and of its keys at another address. Times are RFC 3339 texts. */
export type DocumentValidators = {
  /** They belong to the response that is fresh until then. */
  fresh_until: string;
  /** When the document was last read in full. */
  read_at: string;
  document: StoredValidators;
  keys?: (StoredValidators & { jwks_uri: string }) | undefined;
};
/** The damage if a credential leaks. */
export type Risk = 'high' | 'medium' | 'low';
export type AccessTokenFormat = 'opaque' | 'jwt';
/** What unseals the secrets: the root key of the installation, or shares. */
export type SealKind = 'static' | 'shamir';

/** The authority of an actor, and the limits of the credential that was used. */
export type StoredAuthority = { subject_id: string | null; limits: readonly unknown[] };

/** Every table, as migrated; a test compares it with the database. */
export type Database = {
  change_counter: { only_row: Generated<boolean>; position: GeneratedBigInt64 };
  changes: { position: BigInt64; kind: string; key: string; occurred_at: Date };
  server_keys: { id: GeneratedAlways<number>; purpose: string; sealed: Sealed; created_at: Date };
  signing_keys: {
    kid: string;
    alg: string;
    public_jwk: Json;
    sealed_private_jwk: Sealed;
    created_at: Date;
    signs_from: Date;
    retires_at: Date | null;
  };
  subjects: { id: string; kind: 'user' | 'client' };
  /** Written by triggers: every identifier that looks like an id. */
  taken_identifiers: { id: string; kind: 'user' | 'client' | 'api_key' | 'client_id' };
  users: {
    id: string;
    username: string;
    email: string | null;
    email_verified: Generated<boolean>;
    email_verified_at: Date | null;
    email_verified_by: EmailVerifier | null;
    /** The authority of the actor who set or verified the address; null: the user, with a link, or the operator. */
    email_vouched_by: JSONColumnType<StoredAuthority, string | null | undefined, string | null> | null;
    name: string | null;
    /** The language of mail, chosen by the user or an administrator. */
    language: string | null;
    /** The language of the pages on which they last signed in. */
    browser_language: string | null;
    enabled: Generated<boolean>;
    tokens_valid_after: Date | null;
    /** How often everything of it was revoked. */
    epoch: Generated<number>;
    /** Everything that was issued up to then, by the database's time, is revoked. */
    revoked_before: Date | null;
    /** Set if the user deleted their account: the row has no personal details. */
    deleted_at: Date | null;
    created_at: Date;
    updated_at: Date;
    version: Generated<number>;
  };
  credentials: {
    id: string;
    user_id: string;
    kind: 'password';
    hash: string;
    /** `updated_at` at the time when the hash of the normalized password was stored. */
    normalized_at: Date | null;
    /** The form of the password that was hashed. */
    form: GeneratedAlways<'as_typed' | 'nfc'>;
    created_at: Date;
    updated_at: Date;
  };
  factors: {
    id: string;
    user_id: string;
    kind: 'totp' | 'passkey' | 'recovery_code';
    /** The user's name for it. */
    name: string | null;
    /** The server key that sealed `sealed`. */
    key_id: number | null;
    sealed: Sealed | null;
    /** How an app from another system computes its codes; null: our parameters. */
    parameters: NullableJson;
    /** The time step of the last one-time code that was accepted. */
    last_step: BigInt64 | null;
    passkey_id: Buffer | null;
    public_key: Buffer | null;
    sign_count: BigInt64 | null;
    transports: NullableJson;
    is_backed_up: boolean | null;
    digest: Digest | null;
    created_at: Date;
    last_used_at: Date | null;
  };
  setup_links: { digest: Digest; created_at: Date; expires_at: Date; used_at: Date | null };
  leak_reports: { credential: string; place: Digest; is_told: boolean; reported_at: Generated<Date> };
  password_links: {
    digest: Digest;
    user_id: string;
    created_at: Date;
    expires_at: Date;
    used_at: Date | null;
    mailed_to: string | null;
    shown_to: string | null;
    shown_within: JSONColumnType<readonly unknown[]> | null;
  };
  /** Requests for an account: the user is created when they open the mailed link. */
  sign_ups: { digest: Digest; email: string; created_at: Date; expires_at: Date };
  /** One row. */
  sign_in_policy: {
    id: Generated<boolean>;
    required_acr: string | null;
    administrator_required_acr: string | null;
    /** Null: all. A newer version may have added others. */
    allowed_factors: JSONColumnType<FactorKind[] | null, string | null, string | null>;
    /** For how many days users may skip the second factor in a browser; 0: never. */
    remember_browser_days: Generated<number>;
    created_at: Date;
    updated_at: Date;
    version: Generated<number>;
  };
  /** Null: the job has not found the account. */
  sign_in_codes: {
    id: string;
    user_id: string | null;
    user_epoch: number | null;
    digest: Digest | null;
    attempts: Generated<number>;
    created_at: Date;
    expires_at: Date;
  };
  remembered_browsers: {
    id: string;
    user_id: string;
    user_epoch: number;
    digest: Digest;
    user_agent: string | null;
    created_at: Date;
    last_used_at: Date;
    expires_at: Date;
  };
  standing_remembered_browsers: {
    id: string;
    user_id: string;
    digest: Digest;
    user_agent: string | null;
    created_at: Date;
    last_used_at: Date;
    expires_at: Date;
  };
  enrolment_links: {
    digest: Digest;
    user_id: string;
    made_by: JSONColumnType<StoredAuthority, string | null, string | null> | null;
    mailed_to: string | null;
    created_at: Date;
    expires_at: Date;
  };
  /** Actors who could sign in as a user, because they set the password or linked an account. */
  preparers: {
    user_id: string;
    subject_id: string;
    limits: JSONColumnType<readonly unknown[], string, string>;
    /** The permissions that they held then. */
    held: JSONColumnType<readonly { resource: string | null; pattern: string }[], string, string>;
    created_at: Date;
  };
  /** `confirm`: a link to a new address; `undo`: a link to the previous one. */
  email_changes: {
    digest: Digest;
    user_id: string;
    purpose: 'confirm' | 'undo';
    previous_email: string | null;
    email: string;
    /** Who set the previous address, which a link restores; null: the user, or the operator. */
    vouched_by: JSONColumnType<StoredAuthority | null, string | null, string | null>;
    created_at: Date;
    expires_at: Date;
  };
  clients: {
    id: string;
    client_id: string;
    type: ClientType;
    metadata: Json;
    resources: JSONColumnType<Record<string, string[]>>;
    service_permissions: JSONColumnType<Record<string, string[]>>;
    introspects: JSONColumnType<string[]>;
    lifetimes: JSONColumnType<Lifetimes>;
    owner_id: string | null;
    risk: Risk | null;
    first_party: Generated<boolean>;
    claims_in_id_token: Generated<boolean>;
    /** Null: all that the sign-in policy allows. */
    allowed_factors: JSONColumnType<FactorKind[] | null, string | null, string | null>;
    built_in: Generated<boolean>;
    registered_by: Generated<RegisteredBy>;
    /** The trust that registered it. */
    trust_id: string | null;
    /** Whether it was disabled with its trust, and is enabled with it. */
    disabled_with_trust: Generated<boolean>;
    enabled: Generated<boolean>;
    tokens_valid_after: Date | null;
    epoch: Generated<number>;
    revoked_before: Date | null;
    /** When it last got a token, to the minute. Written only by the job that counts activity. */
    last_used_at: Date | null;
    created_at: Date;
    updated_at: Date;
    version: Generated<number>;
  };
  /** Clients that no operator registered, by the `id` of the client. */
  self_registered_clients: {
    client_id: string;
    /** The client is deleted afterwards, unless it is used. */
    kept_until: Date;
    /** Until when the metadata document is used without a fetch; null: it has none. */
    fresh_until: Date | null;
    /** When the document added a redirect URI or weakened authentication: users are asked for consent again. */
    widened_at: Date | null;
    /** Whether the audit log has the client: a client with a document is recorded with the first decision about it. */
    is_recorded: Generated<boolean>;
    /** The validators of the document and its keys; null: none. */
    validators: JSONColumnType<DocumentValidators | null, string | null | undefined, string | null>;
  };
  /** Accounts of users at foreign issuers. */
  identities: IdentityColumns;
  standing_identities: IdentityColumns & { username: string; user_epoch: number; revoked_before: Date | null };
  standing_trusts: {
    id: string;
    name: string;
    kind: TrustKind;
    issuer: string;
    permissions: JSONColumnType<Record<string, string[]>>;
    epoch: number;
  };
  trusts: {
    id: string;
    name: string;
    kind: TrustKind;
    issuer: string;
    /** Null: this installation's own issuer. */
    audience: string | null;
    jwks_uri: string | null;
    jwks: NullableJson;
    conditions: JSONColumnType<ClaimCondition[]>;
    permissions: JSONColumnType<Record<string, string[]>>;
    access_token_ttl_seconds: number | null;
    one_time: boolean;
    most_workloads: number;
    /** For the kind `login`. */
    login: JSONColumnType<LoginSettings | null, string | null, string | null>;
    /** Names of roles that its workloads have. */
    roles: GeneratedJson;
    /** The API server of a cluster that reviews each token. */
    token_review: JSONColumnType<TokenReviewSettings | null, string | null, string | null>;
    /** The settings that Vault's clients wrote for it as a role; null: it is no such role. */
    vault_role: JSONColumnType<VaultAuthRole | null, string | null, string | null>;
    /** The secret of this installation at the provider, or at the cluster. */
    sealed_secret: Sealed | null;
    secret_key_id: number | null;
    enabled: Generated<boolean>;
    /** How often everything that it granted was revoked. */
    epoch: Generated<number>;
    created_at: Date;
    updated_at: Date;
    version: Generated<number>;
  };
  vault_seal: {
    only_row: Generated<boolean>;
    kind: SealKind;
    /** Incremented by sealing: each node must then unseal again. */
    generation: GeneratedBigInt64;
    sealed_root: Sealed;
    /** While it is set, the vault is sealed. */
    sealed_at: Date | null;
    /** For a vault that is unsealed with shares: the set of shares, their number, and the threshold. */
    set_id: string | null;
    shares: number | null;
    threshold: number | null;
    key_check: Digest | null;
    /** SHA-256 of each share, in hexadecimal. */
    share_digests: ColumnType<string[] | null, string | null, string | null>;
    /** When it was first unsealed with its shares. */
    confirmed_at: Date | null;
    created_at: Date;
    updated_at: Date;
  };
  /** New shares that unseal the vault in addition to those of the set `replaces`, until they have unsealed it once. */
  vault_next_shares: {
    only_row: Generated<boolean>;
    replaces: string;
    set_id: string;
    shares: number;
    threshold: number;
    key_check: Digest;
    share_digests: ColumnType<string[], string, string>;
    sealed_root: Sealed;
    created_at: Date;
  };
  vault_terms: { term: number; sealed_key: Sealed; created_at: Date };
  secrets: {
    id: string;
    path: string;
    current_version: Generated<number>;
    max_versions: number;
    cas_required: boolean;
    delete_after_seconds: number | null;
    custom_metadata: JSONColumnType<Record<string, string>>;
    description: string | null;
    environment: string | null;
    risk: Risk | null;
    owner_id: string | null;
    /** For a credential that is stored elsewhere: the place, who can access it, and when it was last replaced. */
    location: string | null;
    accessible_to: GeneratedJson;
    rotated_at: Date | null;
    /** The version in another store that was imported last, and when it was created there. */
    imported_number: number | null;
    imported_created_at: string | null;
    created_at: Date;
    updated_at: Date;
    version: Generated<number>;
  };
  /** The settings of secrets that are created without any: at most one row. */
  secret_defaults: {
    single: Generated<boolean>;
    max_versions: number;
    cas_required: boolean;
    delete_after_seconds: number | null;
    updated_at: Date;
  };
  secret_versions: {
    secret_id: string;
    number: number;
    /** The version's key and value, and the term whose key seals the former; null: destroyed. */
    term: number | null;
    sealed_key: Sealed | null;
    sealed_value: Sealed | null;
    size: number;
    created_by_kind: string;
    created_by_id: string | null;
    created_at: Date;
    expires_at: Date | null;
    deleted_at: Date | null;
    destroyed_at: Date | null;
  };
  /** An HMAC of each part of a version's value. */
  secret_value_digests: { secret_id: string; number: number; part: string; digest: string };
  /** The text of a role that was written as a Vault policy. */
  vault_policies: { role_id: string; source: string; updated_at: Date };
  /** How an auth method of Vault's clients finds the issuer of its roles; the token that it uses for token reviews. */
  vault_auth_methods: {
    method: VaultAuthMethod;
    config: JSONColumnType<VaultAuthConfig>;
    sealed_token: Sealed | null;
    token_key_id: number | null;
    updated_at: Date;
  };
  /** Roles of AppRole, which are clients. */
  vault_roles: {
    client_id: string;
    settings: JSONColumnType<VaultRoleSettings>;
    deleted_at: Date | null;
    created_at: Date;
    updated_at: Date;
  };
  /** Roles that tokens of Vault's clients are created with. */
  vault_token_roles: {
    name: string;
    settings: JSONColumnType<VaultTokenRole>;
    created_at: Date;
    updated_at: Date;
  };
  vault_secret_ids: {
    digest: Digest;
    client_id: string;
    accessor: string;
    uses: number | null;
    uses_left: number | null;
    bound_cidrs: JSONColumnType<string[]> | null;
    token_bound_cidrs: JSONColumnType<string[]> | null;
    metadata: JSONColumnType<Record<string, string>>;
    ttl_seconds: number | null;
    created_at: Date;
    last_used_at: Date | null;
    expires_at: Date | null;
  };
  /** Responses that a wrapping token unwraps once. */
  vault_wrapped: {
    digest: Digest;
    sealed: Sealed;
    creation_path: string;
    ttl_seconds: number;
    created_at: Date;
    expires_at: Date;
  };
  vault_tokens: {
    digest: Digest;
    accessor: string;
    display_name: string;
    /** The path of the login. */
    path: string;
    metadata: JSONColumnType<Record<string, string>>;
    ttl_seconds: number;
    created_at: Date;
    /** Until when it can be renewed. */
    ends_at: Date;
    /** The token that created it, with which it is revoked. */
    parent: Digest | null;
    /** The requested policies; null: those of its client. */
    policies: JSONColumnType<string[]> | null;
    /** The total and the remaining number of uses; null: unlimited. */
    uses: number | null;
    uses_left: number | null;
    bound_cidrs: JSONColumnType<string[]> | null;
    renewable: Generated<boolean>;
  };
  client_logos: {
    client_id: string;
    uri: string;
    content_type: string | null;
    image: string | null;
    digest: string | null;
    failures: number;
    retry_at: Date | null;
    fetched_at: Date;
  };
  client_secrets: ClientSecretColumns & {
    /** Set by the database. */
    number: Generated<number>;
    /** Only for generated secrets. */
    last_four: string | null;
    last_used_at: Date | null;
    /** When it is due for rotation. Written by triggers. */
    due_at: Date | null;
  };
  standing_client_secrets: ClientSecretColumns & { client: string; ends_at: Date | number };
  resource_servers: {
    id: string;
    identifier: string;
    comparable_identifier: GeneratedAlways<string>;
    name: string;
    access_token_format: Generated<AccessTokenFormat>;
    access_token_signing_alg: string | null;
    access_token_ttl_seconds: number | null;
    assignment_required: Generated<boolean>;
    dpop_required: Generated<boolean>;
    /** The weakest authentication class with which users get tokens; null: any. */
    required_acr: string | null;
    /** Null: all that the sign-in policy allows. */
    allowed_factors: JSONColumnType<FactorKind[] | null, string | null, string | null>;
    built_in: Generated<boolean>;
    open_to: Generated<OpenTo>;
    enabled: Generated<boolean>;
    tokens_valid_after: Date | null;
    epoch: Generated<number>;
    created_at: Date;
    updated_at: Date;
    version: Generated<number>;
  };
  permissions: {
    resource_server_id: string;
    name: string;
    description: string | null;
    is_default: Generated<boolean>;
    is_optional: Generated<boolean>;
    is_sensitive: Generated<boolean>;
    /** Clients that no operator registered may ask users for it. */
    is_open: Generated<boolean>;
  };
  roles: {
    id: string;
    name: string;
    description: string | null;
    built_in: Generated<boolean>;
    exported_as: string | null;
    created_at: Date;
    updated_at: Date;
    version: Generated<number>;
  };
  role_permissions: { role_id: string; resource: string | null; pattern: string };
  api_keys: {
    id: string;
    name: string;
    description: string | null;
    environment: string;
    owner_id: string;
    risk: Risk;
    permissions: JSONColumnType<KeyRight[]>;
    restrictions: Json;
    metadata: Json;
    enabled: Generated<boolean>;
    expires_at: Date | null;
    revoked_at: Date | null;
    tokens_valid_after: Date | null;
    epoch: Generated<number>;
    disabled_by_owner: Generated<boolean>;
    last_used_at: Date | null;
    /** When it is due for rotation. Written by triggers. */
    due_at: Date | null;
    created_at: Date;
    updated_at: Date;
    version: Generated<number>;
  };
  /** Active versions of keys, regardless of their expiry. */
  standing_api_keys: {
    id: string;
    number: number;
    tokens_valid_after: Date | null;
    ends_at: Date | number;
    epoch: number;
    revoked_before: Date | null;
    owner_id: string;
  };
  api_key_versions: {
    digest: Digest;
    key_id: string;
    number: number;
    start: string;
    last_four: string;
    issued_at: Date;
    ends_at: Date | null;
  };
  api_key_roles: { key_id: string; role_id: string };
  api_key_tags: { key_id: string; tag: string };
  api_key_usage: { key_id: string; day: Date; allowed: GeneratedBigInt64; refused: GeneratedBigInt64 };
  limit_counters: { key: string; value: BigInt64; expires_at: Date };
  role_assignments: {
    role_id: string;
    subject_id: string;
    until: Date | null;
    /** Who assigned it, as events name their actor; null: assigned before this was recorded. */
    granted_by_kind: string | null;
    granted_by: string | null;
    created_at: Date;
  };
  /** Roles by claims of an identity provider, as it last stated them. */
  mapped_roles: {
    id: string;
    role_id: string;
    subject_id: string;
    trust_id: string;
    trust_epoch: number;
    identity_id: string;
    /** When the provider last stated the claims. */
    confirmed_at: Generated<Date>;
    /** When it lapses, unless the trust now has fewer days. */
    until: Generated<Date>;
    created_at: Date;
  };
  /** Assigned roles, and mapped ones, whose `granted_by_kind` is `trust`. */
  standing_role_assignments: {
    id: string;
    role_id: string;
    subject_id: string;
    until: Date | null;
    granted_by_kind: string | null;
    granted_by: string | null;
    created_at: Date;
  };
  consents: {
    id: string;
    user_id: string;
    client_id: string;
    scopes: JSONColumnType<ConsentedScopes>;
    created_at: Date;
    updated_at: Date;
    expires_at: Date | null;
    revoked_at: Date | null;
    version: Generated<number>;
  };
  sessions: SessionColumns & ProviderColumns & { upstream_sid: string | null };
  session_ids: { digest: Digest; session_uid: string; expires_at: Date; retired_at: Date | null };
  grants: ProviderColumns & {
    id: string;
    user_id: string;
    client_id: string;
    consent_id: string | null;
    session_uid: string | null;
    offline: Generated<boolean>;
    payload: Json;
    created_at: Date;
    revoked_at: Date | null;
    revoked_for: string | null;
    /** The epochs of the records that it depends on; null: an older version wrote it. */
    user_epoch: number | null;
    client_epoch: number | null;
  };
  standing_grants: {
    id: string;
    user_id: string;
    client_id: string;
    consent_id: string | null;
    session_uid: string | null;
    offline: boolean;
    payload: Json;
    created_at: Date;
    revoked_at: null;
    revoked_for: string | null;
    tokens_valid_after: Date | null;
    /** `Infinity` or `-Infinity` as a number if PostgreSQL has that value. */
    ends_at: Date | number;
    client: string;
    username: string;
  };
  standing_sessions: SessionColumns & ProviderColumns & { upstream_sid: string | null; username: string | null };
  session_clients: {
    session_uid: string;
    client_id: string;
    sid: string | null;
    grant_id: string | null;
    persists_logout: Generated<boolean>;
  };
  interactions: { digest: Digest; sealed: Sealed; expires_at: Date };
  refresh_families: FamilyColumns;
  standing_refresh_families: FamilyColumns & UnderGrantColumns;
  authorization_codes: CodeColumns;
  standing_authorization_codes: CodeColumns & UnderGrantColumns;
  device_codes: DeviceCodeColumns;
  standing_device_codes: DeviceCodeColumns & UnderGrantColumns;
  pushed_requests: { digest: Digest; sealed: Sealed; expires_at: Date; consumed_at: Date | null };
  access_tokens: AccessTokenColumns & { digest: Digest };
  standing_access_tokens: AccessTokenColumns & UnderGrantColumns & AllowedColumns & { digest: Digest };
  jwt_access_tokens: AccessTokenColumns & { jti: string; status_list_id: number; status_index: number };
  standing_jwt_access_tokens: AccessTokenColumns &
    UnderGrantColumns &
    AllowedColumns & { jti: string; status_list_id: number; status_index: number };
  status_lists: { id: GeneratedAlways<number>; size: number; leased: Generated<number>; created_at: Date };
  replay_detection: { digest: Digest; expires_at: Date };
  idempotency_keys: {
    digest: Digest;
    request_digest: Digest;
    sealed: Sealed;
    created_at: Date;
    expires_at: Date;
    key_id: number | null;
  };
  access_records: {
    id: string;
    kind: string;
    outcome: string;
    caller: string | null;
    /** SHA-256 (hex) of an opaque token, or the `jti` of a JWT. */
    credential: string | null;
    client_id: string | null;
    user_id: string | null;
    address: string | null;
    request_id: string | null;
    uses: number;
    occurred_at: Date;
    last_at: Date;
    /** The version of an API key. */
    credential_version: number | null;
    /** The requested permissions, if they were granted. */
    permissions: ColumnType<string[] | null, string | null, string | null>;
    /** The number of the transaction. */
    recorded_in: GeneratedBigInt64;
  };
  /** Counts by kind, outcome and period. */
  activity_counts: { step_seconds: number; starts_at: Date; kind: string; outcome: string; count: BigInt64 };
  /** The row of a table up to which everything is counted. */
  activity_positions: { source: string; recorded_in: BigInt64; id: string; counted_until: Date };
  client_usage: {
    client_id: string;
    day: Date;
    allowed: BigInt64;
    refused: BigInt64;
    last_used_at: Date | null;
  };
  hidden_hints: { user_id: string; hint: string; hidden_at: Date };
  credential_uses: {
    credential: string;
    version: number;
    permission: string;
    day: Date;
    uses: BigInt64;
    last_used_at: Date;
  };
  throttles: { key: string; points: Generated<number>; expire: BigInt64 | null };
  audit_events: {
    id: string;
    occurred_at: Date;
    actor_kind: string;
    actor_id: string | null;
    action: string;
    target_kind: string | null;
    target_id: string | null;
    outcome: 'success' | 'failure';
    reason: string | null;
    /** This and the next are always null: the values are in `audit_personal_details`; writes of an older version are moved there. */
    address: string | null;
    user_agent: string | null;
    request_id: string | null;
    details: NullableJson;
    recorded_in: GeneratedBigInt64;
    personal_digest: Digest | null;
  };
  audit_personal_details: { event_id: string; salt: string; address: string | null; user_agent: string | null };
  audit_keys: { kid: string; public_jwk: Json; created_at: Date };
  audit_segments: {
    number: BigInt64;
    previous_head: Digest;
    event_count: number;
    members: Digest;
    seen_below: BigInt64;
    unfinished: JSONColumnType<number[]>;
    is_complete: boolean;
    sealed_at: Date;
    kid: string;
    head: Digest;
    signature: string;
  };
  audit_retentions: {
    number: BigInt64;
    head: Digest;
    seen_below: BigInt64;
    unfinished: JSONColumnType<number[]>;
    sealed_at: Date;
    removed_at: Date;
    kid: string;
    signature: string;
  };
  event_cursors: {
    name: string;
    segment: BigInt64;
    ordinal: Generated<number>;
    attempts: Generated<number>;
    next_attempt_at: Date | null;
    lease: string | null;
    leased_until: Date | null;
  };
  webhooks: {
    id: string;
    url: string;
    description: string | null;
    events: JSONColumnType<string[]>;
    most_attempts: number;
    enabled: Generated<boolean>;
    disabled_because: string | null;
    created_at: Date;
    updated_at: Date;
    version: Generated<number>;
  };
  webhook_secrets: {
    id: string;
    webhook_id: string;
    key_id: number;
    sealed: Sealed;
    created_at: Date;
    expires_at: Date | null;
  };
  webhook_deliveries: {
    id: string;
    webhook_id: string;
    message_id: string;
    type: string;
    segment: BigInt64 | null;
    ordinal: number | null;
    state: DeliveryState;
    attempts: Generated<number>;
    last_status: number | null;
    last_error: string | null;
    created_at: Date;
    updated_at: Date;
  };
  audit_positions: { only_row: Generated<boolean>; xid_offset: GeneratedBigInt64 };
};

type IdentityColumns = {
  id: string;
  user_id: string;
  issuer: string;
  /** Its `sub` at the issuer. */
  subject: string;
  created_at: Date;
};

type AccessTokenColumns = {
  grant_id: string | null;
  family_id: string | null;
  client_id: string;
  user_id: string | null;
  /** Exchanged for this version of an API key. */
  api_key_id: string | null;
  api_key_version: number | null;
  scope: string | null;
  audience: string | null;
  identity_scope: string | null;
  payload: Json;
  issued_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  /** The epoch of its client, if it was issued without a grant; null: an older version wrote it. */
  client_epoch: number | null;
  resource_server_epoch: number | null;
  /** The epoch of the key that it was exchanged for, and of its owner (`standing_api_keys`). */
  api_key_epoch: number | null;
  /** Issued for an assertion about this account of the user, by this trust, at these epochs. */
  identity_id: string | null;
  trust_id: string | null;
  trust_epoch: number | null;
  user_epoch: number | null;
};

/** The client and the grant of a credential in a view. */
type UnderGrantColumns = {
  client: string;
  consent_id: string | null;
  session_uid: string | null;
  offline: boolean | null;
  grant_payload: Record<string, unknown> | null;
  /** Until when the records that it depends on last; `Infinity` or `-Infinity` as a number if PostgreSQL has that value. */
  ends_at: Date | number;
};

/** What its client and its API allow an access token. */
type AllowedColumns = {
  client_type: string;
  client_registered_by: string;
  client_resources: Json;
  client_service_permissions: Json;
  audience_requires_roles: boolean | null;
};

/** The identity provider of a sign-in; null: none. */
type ProviderColumns = {
  trust_id: string | null;
  trust_epoch: number | null;
  identity_id: string | null;
};

type SessionColumns = {
  uid: string;
  user_id: string | null;
  login_at: Date | null;
  acr: string | null;
  amr: ColumnType<string[] | null, string | null, string | null>;
  transient: Generated<boolean>;
  sealed_state: Sealed | null;
  address: string | null;
  user_agent: string | null;
  created_at: Date;
  last_seen_at: Date;
  expires_at: Date;
  revoked_at: Date | null;
  /** When the user last authenticated again in this session. */
  confirmed_at: Date | null;
  /** The user's epoch at the time of authentication; null: an older version wrote it. */
  user_epoch: number | null;
  /** `login_at` by the database's time. */
  signed_in_at: Date | null;
};

/** The API server of a cluster that reviews tokens, and the CA certificate that it is verified with. */
export type TokenReviewSettings = { url: string; ca?: string };

export type VaultAuthMethod = 'kubernetes' | 'jwt';

/** The settings that Vault's clients wrote for an auth method, and the resulting settings for the trusts of its roles. */
export type VaultAuthConfig = {
  shown: Record<string, unknown>;
  issuer: string;
  jwks_uri?: string;
  jwks?: { keys: Record<string, unknown>[] };
  token_review?: TokenReviewSettings;
  default_role?: string;
};

/** A role of an auth method: the settings that Vault's clients wrote, and its limits; 0 and empty: unlimited. */
export type VaultAuthRole = {
  method: VaultAuthMethod;
  name: string;
  shown: Record<string, unknown>;
  token_ttl: number;
  token_max_ttl: number;
  token_num_uses: number;
  token_bound_cidrs: string[];
};

/** The limits of a token that is created with a role; 0 and an empty list: none. */
export type VaultTokenRole = {
  /** Names of policies, or permissions; empty: those of the creator. */
  allowed_policies: string[];
  disallowed_policies: string[];
  /** Its tokens have no parent. */
  orphan: boolean;
  renewable: boolean;
  path_suffix: string;
  token_bound_cidrs: string[];
  token_explicit_max_ttl: number;
  token_no_default_policy: boolean;
  token_num_uses: number;
};

/** The settings that Vault's clients wrote for a role; 0 and empty: unlimited. */
export type VaultRoleSettings = {
  secret_id_ttl: number;
  secret_id_num_uses: number;
  secret_id_bound_cidrs: string[];
  token_ttl: number;
  token_max_ttl: number;
  token_num_uses: number;
  token_bound_cidrs: string[];
};

type ClientSecretColumns = {
  id: string;
  client_id: string;
  digest: Digest;
  pepper_id: number;
  label: string | null;
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
};

type FamilyColumns = {
  id: string;
  grant_id: string;
  client_id: string;
  user_id: string;
  handle_digest: Digest | null;
  digest: Digest | null;
  key_id: number | null;
  previous_digest: Digest | null;
  previous_key_id: number | null;
  generation: Generated<number>;
  rotated_at: Date | null;
  grace_uses: Generated<number>;
  payload: NullableJson;
  issued_at: Date;
  expires_at: Date | null;
  absolute_expires_at: Date | null;
  revoked_at: Date | null;
  revoked_for: string | null;
};

type CodeColumns = {
  digest: Digest;
  family_id: string;
  grant_id: string;
  client_id: string;
  user_id: string;
  payload: Json;
  issued_at: Date;
  expires_at: Date;
  consumed_at: Date | null;
};

type DeviceCodeColumns = {
  digest: Digest;
  user_code_digest: Digest;
  family_id: string;
  client_id: string;
  user_id: string | null;
  grant_id: string | null;
  sealed: Sealed;
  issued_at: Date;
  expires_at: Date;
  interval_seconds: number;
  polled_at: Date | null;
  consumed_at: Date | null;
};

/** Overrides of the installation's lifetimes, in seconds. */
export type Lifetimes = {
  access_token?: number | undefined;
  refresh_token_idle?: number | undefined;
  refresh_token_absolute?: number | undefined;
  refresh_grace?: number | undefined;
};

/** A pattern at one API, or at every API of the key (`null`). */
export type KeyRight = { resource: string | null; pattern: string };

/** The scopes that a user allowed: those of OpenID Connect, and those of each resource server by identifier. */
export type ConsentedScopes = { openid: string[]; resources: Record<string, string[]> };
