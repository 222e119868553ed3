import { defaultSigningAlg } from '../../../../domain/signing-keys/index.ts';
import * as cell from '../../records/cells.ts';
import type { Fact, Field } from '../../records/page-shapes.ts';
import { linesIn, rightsPerApiIn } from '../../records/rights-lines.ts';
import type { Action, FormInput } from '../actions.ts';
import { type Client, clientPath, frame } from './client.ts';
import {
  claimsField,
  corsField,
  nameField,
  ownerField,
  redirectsField,
  rightsField,
  rightsHint,
  riskField,
  scopeField,
  signingAlgField,
} from './fields.ts';
import { madeSecret } from './secrets.ts';

const peoples = ['authorization_code', 'refresh_token'];

/** What the registration of each kind says (RFC 7591 §2). */
const kinds: Record<string, { text: string; metadata: Record<string, unknown> }> = {
  web: { text: 'web app, with a server that keeps a secret', metadata: { grant_types: peoples } },
  spa: {
    text: 'single-page app, in the browser alone',
    metadata: { grant_types: peoples, token_endpoint_auth_method: 'none' },
  },
  native: {
    text: 'native app, on a phone or computer',
    metadata: { grant_types: peoples, token_endpoint_auth_method: 'none', application_type: 'native' },
  },
  service: { text: 'service, which acts for itself', metadata: { grant_types: ['client_credentials'] } },
};

const clientPrefix = 'client:';

function ownerText({ owner }: Client): string {
  if (!owner) return '';
  return 'user' in owner ? owner.user : clientPrefix + owner.client_id;
}

function responsibleIn(sent: FormInput): Record<string, unknown> {
  const owner = sent.text('owner');
  const named = owner?.startsWith(clientPrefix) ? { client_id: owner.slice(clientPrefix.length) } : { user: owner };
  return { ...(owner && { owner: named }), ...(sent.text('risk') && { risk: sent.text('risk') }) };
}

const making: Action = {
  path: '/new-client',
  route: 'POST /clients',
  describe: async (context) => ({
    crumb: context.crumb,
    heading: 'Which app or service should be registered?',
    name: '',
    words: ['If it needs a secret, one is made: you see it once, on the next page.'],
    impact: [],
    fields: [
      {
        name: 'kind',
        label: 'Kind',
        type: 'select',
        value: 'web',
        options: Object.entries(kinds).map(([value, { text }]) => ({ value, text })),
      },
      {
        name: 'client_id',
        label: 'client_id',
        type: 'text',
        value: '',
        is_required: true,
        hint: 'By which it names itself, such as billing-service. It stays.',
      },
      nameField(),
      redirectsField(),
      corsField(),
      scopeField('openid profile email'),
      claimsField(true),
      { name: 'rights', label: 'What it may do at APIs', type: 'textarea', value: '', hint: rightsHint },
      signingAlgField(defaultSigningAlg),
      ownerField(),
      riskField(),
    ],
    button: 'Register the client',
    danger: false,
    back: '/console/clients',
  }),
  perform: async (context, sent) => {
    const made = await context.api.call('POST /clients', { body: registrationIn(sent) });
    const { client_secret: secret, ...client } = made;
    if (secret === undefined) return { to: clientPath(client.client_id), done: 'registered' };
    return madeSecret(context, client, { secret, words: [] });
  },
};

function registrationIn(sent: FormInput): Record<string, unknown> {
  const kind = sent.text('kind') ?? '';
  const isService = kind === 'service';
  const rights = rightsPerApiIn(sent.text('rights'), 'rights');
  const redirect_uris = linesIn(sent.text('redirect_uris'));
  const allowed_cors_origins = linesIn(sent.text('allowed_cors_origins'));
  return {
    client_id: sent.text('client_id') ?? '',
    ...(sent.text('client_name') && { client_name: sent.text('client_name') }),
    ...(Object.hasOwn(kinds, kind) ? kinds[kind]?.metadata : {}),
    ...responsibleIn(sent),
    ...(redirect_uris.length > 0 && { redirect_uris }),
    ...(allowed_cors_origins.length > 0 && { allowed_cors_origins }),
    ...(isService
      ? { service_permissions: rights }
      : { scope: sent.text('scope') ?? 'openid', resources: rights, ...claimsIn(sent), ...signingAlgIn(sent) }),
  };
}

function signingAlgIn(sent: FormInput): Record<string, unknown> {
  const alg = sent.text('id_token_signed_response_alg');
  return alg ? { id_token_signed_response_alg: alg } : {};
}

/** A form of before does not send it: then it stays. */
function claimsIn(sent: FormInput): { claims_in_id_token?: boolean } {
  const chosen = sent.text('claims_in_id_token');
  return chosen === undefined ? {} : { claims_in_id_token: chosen === 'true' };
}

const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
const actsForItself = ({ grant_types }: Client) => texts(grant_types).includes('client_credentials');

const changing: Action = {
  path: '/clients/:client_id/change',
  route: 'PATCH /clients/{client_id}',
  describe: async (context) => {
    const { client, ...framed } = await frame(context);
    const fields = fieldsOf(client);
    return {
      ...framed,
      heading: 'Change the registration of',
      words: ['It counts from the next request on. What was issued before stays, within what the client may then.'],
      impact: [],
      fields,
      button: 'Save the client',
      danger: false,
      version: client.version,
      present: fields.map(({ label, value }): Fact => ({ label, cell: cell.codes(linesIn(value), 'nothing') })),
    };
  },
  perform: async (context, sent) => {
    const { client } = await frame(context);
    const { client_id } = client;
    await context.api.call('PATCH /clients/{client_id}', {
      params: { client_id },
      body: changesIn(sent, client),
      ifVersion: sent.version,
    });
    return { to: clientPath(client_id), done: 'saved' };
  },
};

function fieldsOf(client: Client): Field[] {
  const { allowed_cors_origins, client_name, id_token_signed_response_alg, redirect_uris, scope } = client;
  const { resources, service_permissions } = client;
  return [
    nameField(typeof client_name === 'string' ? client_name : ''),
    ...(client.type === 'service'
      ? []
      : [
          redirectsField(texts(redirect_uris).join('\n')),
          corsField(texts(allowed_cors_origins).join('\n')),
          scopeField(typeof scope === 'string' ? scope : ''),
          claimsField(client.claims_in_id_token),
          rightsField('resources', 'What it may do at APIs for people', resources),
          signingAlgField(String(id_token_signed_response_alg)),
        ]),
    ...(actsForItself(client)
      ? [rightsField('service_permissions', 'What it may do at APIs itself', service_permissions)]
      : []),
    ownerField(ownerText(client)),
    riskField(client.risk),
  ];
}

function changesIn(sent: FormInput, client: Client): Record<string, unknown> {
  const rights = (field: 'resources' | 'service_permissions') => ({
    // A merge patch takes away only what it names (RFC 7396).
    ...Object.fromEntries(Object.keys(client[field]).map((api) => [api, null])),
    ...rightsPerApiIn(sent.text(field), field),
  });
  return {
    client_name: sent.text('client_name') ?? null,
    ...{ owner: null, risk: null, ...responsibleIn(sent) },
    ...(client.type !== 'service' && {
      redirect_uris: linesIn(sent.text('redirect_uris')),
      allowed_cors_origins: linesOrNull(sent.text('allowed_cors_origins')),
      scope: sent.text('scope') ?? null,
      resources: rights('resources'),
      ...signingAlgIn(sent),
      ...claimsIn(sent),
    }),
    ...(actsForItself(client) && { service_permissions: rights('service_permissions') }),
  };
}

/** An empty list is stored as no member at all (RFC 7396 §2). */
function linesOrNull(text: string | undefined): string[] | null {
  const lines = linesIn(text);
  return lines.length > 0 ? lines : null;
}

/** Registering a client, and changing its registration. */
export const clientForms: Action[] = [making, changing];
