import { password } from '../../support/installation.ts';

export const mail = 'https://mail.example';
export const calendar = 'https://calendar.example';

export const assistant = { client_id: 'inbox-assistant', client_secret: 'the secret of the inbox assistant' };

/** The request of the client in most tests: identity, and three scopes at a service, two of which can be unticked. */
export const everything = { scope: 'openid profile email mail:read:* mail:send mail:delete:*', resource: mail };

type Places = { app: string; dashboard: string; moreApps: string[] };

/** Users who read their mail with a client, and their calendar with a dashboard; there is no administrator yet. */
export function installationFor({ app, dashboard, moreApps }: Places) {
  return {
    resource_servers: [
      {
        identifier: mail,
        name: 'Support Mail',
        scopes: [
          { name: 'mail:read:*', description: 'Read your messages' },
          { name: 'mail:send', description: 'Send messages as you', optional: true },
          { name: 'mail:delete:*', description: 'Delete messages', optional: true, sensitive: true },
        ],
      },
      {
        identifier: calendar,
        name: 'Team Calendar',
        open_to: 'documented',
        scopes: [{ name: 'calendar:read', description: 'See your appointments', default: true, open: true }],
      },
    ],
    clients: [
      {
        ...assistant,
        client_name: 'Inbox Assistant',
        redirect_uris: [`${app}/callback`, 'https://inbox-assistant.example/callback'],
        post_logout_redirect_uris: [`${app}/signed-out`],
        scope: 'openid profile email offline_access',
        resources: { [mail]: ['mail:read:*', 'mail:send', 'mail:delete:*'], [calendar]: ['calendar:read'] },
      },
      ...['Atlas Reports', 'Meeting Notes', 'Zebra Drive', ...moreApps].map((client_name) => ({
        client_id: client_name.toLowerCase().replace(' ', '-'),
        client_name,
        client_secret: 'the secret of yet another app',
        redirect_uris: [`${app}/callback`],
        scope: 'openid profile email',
        resources: { [calendar]: ['calendar:read'] },
      })),
      {
        client_id: 'long-name',
        client_name: 'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz-Assistent für alle Abteilungen',
        client_secret: 'the secret of yet another app',
        redirect_uris: [`${app}/callback`],
        scope: 'openid profile email',
        resources: { [calendar]: ['calendar:read'] },
      },
      {
        client_id: 'dashboard',
        client_name: 'Dashboard',
        token_endpoint_auth_method: 'none',
        redirect_uris: [`${dashboard}/callback`],
        post_logout_redirect_uris: [`${dashboard}/`],
        scope: 'openid profile email',
        resources: { [calendar]: ['calendar:read'] },
      },
      {
        client_id: 'television',
        client_name: 'Television',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
        scope: 'openid',
        resources: { [calendar]: ['calendar:read'] },
      },
    ],
    users: ['Alice', 'Bob', 'Carol', 'Dave', 'Erin'].map(person),
  };
}

function person(name: string) {
  const username = name.toLowerCase();
  return { username, email: `${username}@example.com`, name: `${name} Example`, password };
}
