/**
 * Every permission of the admin API, with what a person reads who is asked to hand it to an application; a test compares
 * them with the routes.
 */
export const adminPermissions: Readonly<Record<string, string>> = {
  'latchkey:client:read': 'See applications and services',
  'latchkey:client:write': 'Register and change applications and services',
  'latchkey:client:disable': 'Stop applications and services',
  'latchkey:client_secret:create': 'Make secrets of applications and services',
  'latchkey:client_secret:revoke': 'End secrets of applications and services',
  'latchkey:resource_server:read': 'See protected APIs',
  'latchkey:resource_server:write': 'Register and change protected APIs',
  'latchkey:resource_server:disable': 'Stop protected APIs',
  'latchkey:role:read': 'See roles and who has them',
  'latchkey:role:write': 'Make and change roles',
  'latchkey:role:assign': 'Give and take roles',
  'latchkey:user:read': 'See people',
  'latchkey:user:write': 'Make and change accounts of people',
  'latchkey:user:disable': 'Stop people',
  'latchkey:user:reset_password': 'Set passwords of people',
  'latchkey:consent:read': 'See what people allowed applications',
  'latchkey:consent:revoke': 'Take back what people allowed applications',
  'latchkey:grant:read': 'See what applications hold for people',
  'latchkey:grant:revoke': 'End what applications hold for people',
  'latchkey:session:read': 'See where people are signed in',
  'latchkey:session:revoke': 'Sign people out',
  'latchkey:signing_key:read': 'See the keys that sign tokens',
  'latchkey:signing_key:rotate': 'Rotate the keys that sign tokens',
  'latchkey:token:revoke': 'End tokens',
  'latchkey:audit:read': 'See who did what',
  'latchkey:api_key:read': 'See API keys and how they are used',
  'latchkey:api_key:create': 'Mint API keys',
  'latchkey:api_key:write': 'Change API keys and what they may do',
  'latchkey:api_key:rotate': 'Rotate API keys',
  'latchkey:api_key:disable': 'Let API keys rest',
  'latchkey:api_key:revoke': 'End API keys',
  'latchkey:api_key:never_expire': 'Mint API keys that never expire',
  'latchkey:verify': 'Ask whether a key or token is good',
  'latchkey:webhook:read': 'See who is told of events, and what they were told',
  'latchkey:webhook:write': 'Say who is told of events',
  'latchkey:webhook:delete': 'End that somebody is told of events',
  'latchkey:webhook:rotate': 'Make new secrets that sign what is told',
  'latchkey:webhook:redeliver': 'Send a test, or what was told once more',
  'latchkey:token:revoke_all': 'End everything that everybody holds',
};

/** The admin API's own identifier as a resource server: the audience of its tokens. */
export const adminAudience = (issuer: string): string => `${issuer}/admin`;
