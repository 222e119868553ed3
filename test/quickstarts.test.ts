import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

// Projects that cannot be installed here: their quickstarts are compared with the settings that their code reads. The lists are from the
// named files.

const page = (name: string) => readFileSync(new URL(`../docs/quickstarts/${name}.md`, import.meta.url), 'utf8');
const blocks = (name: string, language: string) =>
  [...page(name).matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, code = '']) => code);

/** The entries of INI files and property files, each under its section. */
const entriesIn = (ini: string): { section: string; key: string; value: string }[] => {
  let section = '';
  return ini.split('\n').flatMap((line) => {
    section = /^\[(.+)\]$/.exec(line)?.[1] ?? section;
    const [, key = '', value = ''] = /^([^=[\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
    return key ? [{ section, key, value }] : [];
  });
};

describe('Spring reads the properties of its quickstart', () => {
  const prefix = 'spring.security.oauth2.client.';
  // spring-boot: OAuth2ClientProperties.Registration, .Provider
  const registration =
    /^registration\.latchkey\.(provider|client-id|client-secret|client-authentication-method|authorization-grant-type|redirect-uri|scope|client-name)$/;
  const provider =
    /^provider\.latchkey\.(authorization-uri|token-uri|user-info-uri|user-info-authentication-method|user-name-attribute|jwk-set-uri|issuer-uri)$/;
  // spring-boot: OAuth2ResourceServerProperties.Opaquetoken
  const opaque = ['introspection-uri', 'client-id', 'client-secret'];

  test('of the client', () => {
    const entries = blocks('spring', 'ini').flatMap(entriesIn);
    const own = entries.filter(({ key }) => key !== 'server.port');
    expect(own.length).toBeGreaterThan(5);
    const unknown = own.filter(({ key }) => {
      const name = key.slice(prefix.length);
      return !key.startsWith(prefix) || !(registration.test(name) || provider.test(name));
    });
    expect(unknown).toEqual([]);
  });

  test('of the resource server, and no others that would make Spring Boot ignore its own decoder', () => {
    const named = [...page('spring').matchAll(/resourceserver\.(jwt|opaquetoken)\.([a-z-]+)/g)];
    expect(named.map(([, kind, name = '']) => [kind, opaque.includes(name)])).toEqual([['opaquetoken', true]]);
    const [decoder = ''] = blocks('spring', 'java');
    // spring-security: JwtValidators. The default validators accept the type JWT only, createAtJwtValidator() accepts at+jwt.
    const called = [...decoder.matchAll(/(?:JwtValidators|NimbusJwtDecoder)\.(\w+)\(/g)].map(([, name]) => name);
    expect(called).toEqual(['withIssuerLocation', 'createAtJwtValidator']);
    expect(decoder).toMatch(/\.issuer\("http:\/\/localhost:3000"\)\s+\.audience\("https:/);
  });
});

test('oauth2-proxy reads the settings of its quickstart', () => {
  // oauth2-proxy: pkg/apis/options/legacy_options.go, options.go, cookie.go
  const known = [
    ...['provider', 'provider_display_name', 'oidc_issuer_url', 'client_id', 'client_secret_file', 'redirect_url'],
    ...['scope', 'code_challenge_method', 'insecure_oidc_skip_nonce', 'oidc_groups_claim', 'allowed_groups'],
    ...['email_domains', 'http_address', 'upstreams', 'cookie_secret_file', 'cookie_secure'],
  ];
  const entries = blocks('oauth2-proxy', 'ini').flatMap(entriesIn);
  expect(entries.length).toBeGreaterThan(10);
  expect(entries.filter(({ key }) => !known.includes(key))).toEqual([]);
  const redirect = entries.find(({ key }) => key === 'redirect_url')?.value;
  expect(redirect).toBe(`"${/--redirect-uri (\S+)/.exec(page('oauth2-proxy'))?.[1]}"`);
});

test('ASP.NET reads the options of its quickstart', () => {
  // aspnetcore: OpenIdConnectOptions, RemoteAuthenticationOptions (SaveTokens), TokenValidationParameters (NameClaimType)
  const known =
    /^(Authority|RequireHttpsMetadata|ClientId|ClientSecret|ResponseType|ResponseMode|UsePkce|Scope|MapInboundClaims|TokenValidationParameters|SaveTokens|GetClaimsFromUserInfoEndpoint|CallbackPath|SignedOutCallbackPath)$/;
  const [program = ''] = blocks('aspnet', 'csharp');
  const options = program.slice(
    program.indexOf('.AddOpenIdConnect('),
    program.indexOf('builder.Services.AddAuthorization'),
  );
  const set = [...options.matchAll(/options\.(\w+)/g)].map(([, name = '']) => name);
  expect(set.length).toBeGreaterThan(5);
  expect(set.filter((name) => !known.test(name))).toEqual([]);
  // The paths that the handler itself listens on by default.
  expect(page('aspnet')).toContain('https://localhost:4015/signin-oidc');
  expect(page('aspnet')).toContain('https://localhost:4015/signout-callback-oidc');
});

test('Grafana reads the settings of its quickstart', () => {
  const known: Readonly<Record<string, readonly string[]>> = {
    server: ['http_port', 'root_url'],
    // grafana: pkg/services/ssosettings/strategies/oauth_strategy.go, pkg/login/social/connectors/generic_oauth.go
    'auth.generic_oauth': [
      ...[
        'enabled',
        'name',
        'icon',
        'allow_sign_up',
        'auto_login',
        'client_id',
        'client_secret',
        'client_authentication',
      ],
      ...['scopes', 'empty_scopes', 'auth_style', 'auth_url', 'token_url', 'api_url', 'teams_url', 'use_pkce'],
      ...[
        'use_refresh_token',
        'email_attribute_name',
        'email_attribute_path',
        'login_attribute_path',
        'name_attribute_path',
      ],
      ...[
        'id_token_attribute_name',
        'groups_attribute_path',
        'role_attribute_path',
        'role_attribute_strict',
        'org_mapping',
      ],
      ...['org_attribute_path', 'team_ids', 'team_ids_attribute_path', 'allowed_domains', 'allowed_groups'],
      ...[
        'allowed_organizations',
        'allow_assign_grafana_admin',
        'skip_org_role_sync',
        'signout_redirect_url',
        'login_prompt',
      ],
      ...['tls_client_cert', 'tls_client_key', 'tls_client_ca', 'tls_skip_verify_insecure'],
    ],
  };
  const entries = blocks('grafana', 'ini').flatMap(entriesIn);
  expect(entries.length).toBeGreaterThan(10);
  expect(entries.filter(({ section, key }) => !known[section]?.includes(key))).toEqual([]);
  const value = (name: string) => entries.find(({ key }) => key === name)?.value;
  expect(`${value('root_url')}login/generic_oauth`).toBe(/--redirect-uri (\S+)/.exec(page('grafana'))?.[1]);
});

describe('kube-apiserver', () => {
  // kubernetes: apiserver/pkg/apis/apiserver/v1beta1/types.go; v1 has the same members
  const Mapping = z.strictObject({ claim: z.string(), prefix: z.string(), expression: z.string() }).partial();
  const Configuration = z.strictObject({
    apiVersion: z.literal('apiserver.config.k8s.io/v1'),
    kind: z.literal('AuthenticationConfiguration'),
    jwt: z.array(
      z.strictObject({
        issuer: z.strictObject({
          url: z.url({ protocol: /^https$/ }),
          discoveryURL: z.string().optional(),
          certificateAuthority: z.string().optional(),
          audiences: z.array(z.string().min(1)).min(1),
          audienceMatchPolicy: z.literal('MatchAny').optional(),
          egressSelectorType: z.enum(['controlplane', 'cluster']).optional(),
        }),
        claimValidationRules: z
          .array(
            z
              .strictObject({
                claim: z.string(),
                requiredValue: z.string(),
                expression: z.string(),
                message: z.string(),
              })
              .partial(),
          )
          .default([]),
        claimMappings: z.strictObject({
          username: Mapping,
          groups: Mapping.optional(),
          uid: z.strictObject({ claim: z.string(), expression: z.string() }).partial().optional(),
          extra: z.array(z.strictObject({ key: z.string(), valueExpression: z.string() })).optional(),
        }),
        userValidationRules: z
          .array(z.strictObject({ expression: z.string(), message: z.string().optional() }))
          .optional(),
      }),
    ),
  });
  const [code = ''] = blocks('kube-apiserver', 'yml');
  const { jwt } = Configuration.parse(parse(code));

  // kubernetes: apiserver/pkg/apis/apiserver/validation/validation.go
  test('accepts each mapping of its quickstart: a claim with a prefix, or an expression alone', () => {
    const mappings = jwt.flatMap(({ claimMappings: { username, groups } }) => [username, groups ?? {}]);
    for (const { claim, prefix, expression } of mappings)
      expect([claim !== undefined, expression !== undefined]).toEqual([prefix !== undefined, prefix === undefined]);
  });

  test('accepts each rule: an expression with a message, or a claim', () => {
    const rules = jwt.flatMap(({ claimValidationRules }) => claimValidationRules);
    for (const { claim, message, requiredValue, expression } of rules) {
      expect(claim === undefined).toBe(expression !== undefined);
      expect(expression === undefined ? message : requiredValue).toBeUndefined();
    }
  });

  test('is configured to check that an address is verified if it is the username', () => {
    for (const { claimMappings, claimValidationRules } of jwt) {
      expect(claimMappings.username.expression).toMatch(/^claims\.email$/);
      expect(claimValidationRules.some(({ expression = '' }) => /claims\.\??email_verified/.test(expression))).toBe(
        true,
      );
    }
  });
});
