import { z } from 'zod';
import { invalid } from '../../../platform/http/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { Days, isConfirmed, jsonObject, parsed } from './input.ts';
import { answer, answerPage, columns } from './output.ts';
import { routesOf } from './routes.ts';
import type { OptionNames } from './usage.ts';

type Json = { json?: boolean };
type CreateOptions = Json & {
  client?: string;
  user?: string;
  environment: string;
  permission: string[];
  role: string[];
  tag: string[];
  restrictions?: string;
  risk: string;
  expiresInDays?: string;
  neverExpires?: boolean;
};
type RotateOptions = Json & { overlapSeconds?: string; expiresInDays?: string };
type ListOptions = Json & {
  tag?: string;
  environment?: string;
  client?: string;
  user?: string;
  limit: string;
  cursor?: string;
};

/** The options of a key's members. */
const createOptions: OptionNames = {
  name: '<name>',
  permissions: '--permission',
  roles: '--role',
  tags: '--tag',
  owner: '--client or --user',
};

const KeyId = z.uuid('must be the id of a key: latchkey key list');
const paramsOf = (id: string) => ({ params: { key_id: parsed(KeyId, id, '<key-id>') } });
const daysIn = (text: string | undefined) =>
  text === undefined ? {} : { expires_in_days: parsed(Days, text, '--expires-in-days') };

export const create = onInstallation(async (place: CommandContext, name: string, options: CreateOptions) => {
  const { client: client_id, user, environment, permission: permissions, role: roles, tag: tags, risk } = options;
  if ((client_id === undefined) === (user === undefined))
    throw invalid('/owner', 'Name the owner of the key: --client or --user.');
  const body = {
    ...{ name, environment, permissions, roles, tags, risk },
    owner: user === undefined ? { client_id } : { user },
    restrictions: jsonObject(options.restrictions, '--restrictions'),
    ...daysIn(options.expiresInDays),
    ...(options.neverExpires && { never_expires: true }),
  };
  const made = await routesOf(place).call('POST /api-keys', { body });
  answer(options, made, [
    `Created API key ${name} (${made.id}). ${expiryOf(made.expires_at)}`,
    `API key, shown only this once: ${made.key}`,
  ]);
}, createOptions);

const expiryOf = (expires_at: Date | null) =>
  expires_at ? `It expires at ${expires_at.toISOString()}.` : 'It never expires.';

export const list = onInstallation(async (place: CommandContext, options: ListOptions) => {
  const { tag, environment, client: client_id, user, limit, cursor } = options;
  const query = { tag, environment, client_id, user, limit, cursor };
  const page = await routesOf(place).call('GET /api-keys', { query });
  answerPage(options, page, {
    row: ({ id, versions: [newest], state, owner, name }) => [
      id,
      newest ? `${newest.start}…${newest.last_four}` : '',
      state,
      `${owner.kind} ${owner.name}`,
      name,
    ],
    none: 'No API keys. Create one: latchkey key create --help',
  });
});

export const show = onInstallation(async (place: CommandContext, id: string, options: Json) => {
  const key = await routesOf(place).call('GET /api-keys/{key_id}', paramsOf(id));
  const shown = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  answer(
    options,
    key,
    columns(Object.entries(JSON.parse(JSON.stringify(key))).map(([name, value]) => [name, shown(value)])),
  );
});

export const rotate = onInstallation(async (place: CommandContext, id: string, options: RotateOptions) => {
  const { overlapSeconds, expiresInDays } = options;
  const body = {
    ...(overlapSeconds !== undefined && { overlap_seconds: Number(overlapSeconds) }),
    ...daysIn(expiresInDays),
  };
  const rotated = await routesOf(place).call('POST /api-keys/{key_id}/rotate', { ...paramsOf(id), body });
  answer(options, rotated, [
    `The previous version is accepted until ${rotated.previous_expires_at.toISOString()}.`,
    `${expiryOf(rotated.expires_at)}${rotated.expiry_extended ? ' That is later than before.' : ''}`,
    `API key, shown only this once: ${rotated.key}`,
  ]);
});

export const disable = onInstallation(async (place: CommandContext, id: string, options: Json) => {
  const key = await routesOf(place).call('POST /api-keys/{key_id}/disable', paramsOf(id));
  answer(options, key, [`Disabled API key ${key.name}.`]);
});

export const enable = onInstallation(async (place: CommandContext, id: string, options: Json) => {
  const key = await routesOf(place).call('POST /api-keys/{key_id}/enable', paramsOf(id));
  answer(options, key, [`Enabled API key ${key.name}.`]);
});

export const revoke = onInstallation(async (place: CommandContext, id: string, options: Json & { yes?: boolean }) => {
  const routes = routesOf(place);
  const before = await routes.call('GET /api-keys/{key_id}', paramsOf(id));
  const question = `Revoke API key ${before.name}? It is refused at once, and cannot be restored.`;
  const isDone = await isConfirmed(question, { ...options, scripts: 'continue' });
  const after = isDone ? await routes.call('POST /api-keys/{key_id}/revoke', paramsOf(id)) : before;
  answer(options, after, [isDone ? `Revoked API key ${before.name}.` : 'Nothing changed.']);
});
