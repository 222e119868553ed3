import { notFound } from '../../../../platform/http/index.ts';
import { overlapsIn } from '../../records/overlaps.ts';
import type { Field, MadePage } from '../../records/page-shapes.ts';
import { shellWord } from '../../records/shell-word.ts';
import { exactTime } from '../../times.ts';
import { counted } from '../../words.ts';
import type { Action, ActionResult, FormInput } from '../actions.ts';
import type { RequestContext } from '../request-context.ts';
import { type Client, clientPath, findClient, frame, nameOf, usesSecret } from './client.ts';
import { isLive, listSecretsOf, type Secret, secretName } from './secrets-table.ts';

const secretFields: Field[] = [
  {
    name: 'label',
    label: 'Label',
    type: 'text',
    value: '',
    hint: 'For example, where it is used.',
  },
  {
    name: 'expires_in_days',
    label: 'Expires in (days)',
    type: 'number',
    value: '',
    hint: 'Empty: the default for the risk of the client, or never.',
  },
];

const secretIn = (sent: FormInput) => ({ label: sent.text('label'), expires_in_days: sent.number('expires_in_days') });

const adding: Action = {
  path: '/clients/:client_id/secrets/add',
  route: 'POST /clients/{client_id}/secrets',
  describe: async (context) => {
    const { client: _, ...framed } = await frame(context);
    return {
      ...framed,
      heading: 'Add secret',
      words: ['The present secrets remain valid. The new one is shown once, on the next page.'],
      impact: [],
      fields: secretFields,
      button: 'Add secret',
      danger: false,
    };
  },
  perform: async (context, sent) => {
    const client = await findClient(context);
    const { client_id } = client;
    const made = await context.api.call('POST /clients/{client_id}/secrets', {
      params: { client_id },
      body: secretIn(sent),
    });
    return madeSecret(context, client, { secret: made.client_secret, words: [] });
  },
};

const rotating: Action = {
  path: '/clients/:client_id/secrets/rotate',
  route: 'POST /clients/{client_id}/secrets/rotate',
  describe: async (context) => {
    const { client, ...framed } = await frame(context);
    const live = (await listSecretsOf(context, client.client_id)).filter((secret) =>
      isLive(secret, context.deps.now()),
    );
    return {
      ...framed,
      heading: `Rotate the secret of ${framed.name}?`,
      words: ['The new secret is shown once, on the next page. Roll it out before the previous ones expire.'],
      impact:
        live.length > 0
          ? [
              {
                text: counted(live.length, 'present secret'),
                words: `after the overlap: ${live.map(secretName).join(', ')}`,
              },
            ]
          : [],
      fields: [
        {
          name: 'overlap',
          label: 'Overlap',
          type: 'select',
          value: '86400',
          options: overlapsIn(),
          hint: 'For how long the previous secrets are still accepted.',
        },
        ...secretFields,
      ],
      button: 'Rotate secret',
      danger: live.length > 0,
    };
  },
  perform: async (context, sent) => {
    const client = await findClient(context);
    const { client_id } = client;
    const body = { ...secretIn(sent), overlap_seconds: sent.number('overlap') };
    const made = await context.api.call('POST /clients/{client_id}/secrets/rotate', {
      params: { client_id },
      body,
    });
    const words = [`The previous secrets are accepted until ${exactTime(made.previous_expires_at)}.`];
    return madeSecret(context, client, { secret: made.client_secret, words });
  },
};

const revoking: Action = {
  path: '/clients/:client_id/secrets/:secret_id/revoke',
  route: 'POST /clients/{client_id}/secrets/{secret_id}/revoke',
  describe: async (context) => {
    const { client, ...framed } = await frame(context);
    const secrets = await listSecretsOf(context, client.client_id);
    const secret = secrets.find(({ id }) => id === context.params.secret_id);
    if (!secret) throw notFound('client secret', context.params.secret_id ?? '');
    const others = secrets.filter((other) => other !== secret && isLive(other, context.deps.now())).length;
    const rest =
      others === 0
        ? 'It is the last one: the client cannot authenticate until you add another one.'
        : `${counted(others, 'other secret')} ${others === 1 ? 'stays' : 'stay'} active.`;
    return {
      ...framed,
      heading: `Revoke 1 secret of ${framed.name}?`,
      words: [`Requests with it are refused from now on. ${rest} Tokens that were issued stay valid.`],
      impact: [{ text: `1 secret: ${secretName(secret)}`, words: usedWords(secret) }],
      fields: [],
      button: 'Revoke 1 secret',
      danger: true,
    };
  },
  perform: async ({ api, params: { client_id = '', secret_id = '' } }) => {
    const params = { client_id, secret_id };
    await api.call('POST /clients/{client_id}/secrets/{secret_id}/revoke', { params });
    return { to: `${clientPath(client_id)}?tab=credentials`, done: 'secret-revoked' };
  },
};

function usedWords({ created_at, last_used_at }: Secret): string {
  const used = last_used_at ? `last used on ${exactTime(last_used_at)}` : 'never used';
  return `created on ${exactTime(created_at)}, ${used}`;
}

/** The page that shows a new secret once. */
export function madeSecret(
  { deps }: RequestContext,
  client: Client,
  { secret, words }: { secret: string } & Pick<MadePage, 'words'>,
): ActionResult {
  const { client_id } = client;
  return {
    made: {
      crumb: { text: nameOf(client), href: clientPath(client_id) },
      heading: 'New client secret',
      name: nameOf(client),
      secret,
      words,
      snippets: usesSecret(client) ? snippetsFor(deps.issuer, client, secret) : [],
      facts: [],
    },
  };
}

/** Commands to try it, for this client. */
function snippetsFor(issuer: string, client: Client, secret: string): MadePage['snippets'] {
  const { client_id, token_endpoint_auth_method: method, grant_types, service_permissions } = client;
  const isService = Array.isArray(grant_types) && grant_types.includes('client_credentials');
  const [api] = Object.keys(service_permissions);
  const [path, body] = isService
    ? ['token', ['grant_type=client_credentials', ...(api ? [`resource=${api}`] : [])]]
    : ['introspect', ['token=any']];
  // RFC 6749 §2.3.1: both are form-encoded before they become user and password.
  const credentials = `${encodeURIComponent(client_id)}:${encodeURIComponent(secret)}`;
  const given = method === 'client_secret_post' ? [`client_id=${client_id}`, `client_secret=${secret}`] : [];
  const curl = [
    `curl ${issuer}/oauth/${path}`,
    ...(method === 'client_secret_post' ? [] : [`-u ${shellWord(credentials)}`]),
    ...[...body, ...given].map((parameter) => `--data-urlencode ${shellWord(parameter)}`),
  ].join(' \\\n  ');
  return [
    {
      label: isService ? 'Get a token' : 'Try it: any answer but “invalid_client” means that it is accepted',
      text: curl,
    },
    { label: 'Environment variables', text: `CLIENT_ID=${shellWord(client_id)}\nCLIENT_SECRET=${shellWord(secret)}` },
  ];
}

/** The actions on the secrets of a client. */
export const secretActions: Action[] = [adding, rotating, revoking];
