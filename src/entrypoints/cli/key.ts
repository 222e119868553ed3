import { Command, Option } from 'commander';
import { z } from 'zod';
import {
  type ApiKey,
  createApiKey,
  disableApiKey,
  enableApiKey,
  getKey,
  KeyInput,
  listKeys,
  RotationInput,
  revokeApiKey,
  rotateApiKey,
  stateOf,
} from '../../domain/api-keys/index.ts';
import { Risk } from '../../domain/credentials/index.ts';
import { alsoAs, invalid } from '../../platform/http/index.ts';
import { command, onInstallation, type Workplace } from './command.ts';
import { Days, isConfirmed, parsed } from './input.ts';
import { answer, columns } from './output.ts';
import type { OptionNames } from './usage.ts';

type CreateOptions = {
  json?: boolean;
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
type RotateOptions = { json?: boolean; overlapSeconds?: string; expiresInDays?: string };
type Json = { json?: boolean };

const repeated = (value: string, values: string[]) => [...values, value];
/** How the members of a key are typed. */
const createOptions: OptionNames = {
  name: '<name>',
  permissions: '--permission',
  roles: '--role',
  tags: '--tag',
  owner: '--client or --user',
};

const most = 200;
const KeyId = z.uuid('must be the id of a key: latchkey key list');

/** `latchkey key …` */
export function keyCommand(): Command {
  const key = new Command('key').description('API keys of services and people');
  key
    .addCommand(
      command('create', 'mint a key, shown once')
        .argument('<name>')
        .option('--client <client-id>', 'the client whose key it is')
        .option('--user <user>', 'the user whose key it is: a username, or id:…, username:… or email:…')
        .option('--environment <name>', 'as it stands in the key', 'dev')
        .option('--permission <pattern>', 'e.g. "database:read:*"; may be repeated', repeated, [])
        .option('--role <role>', 'what it gives, the key may, too; may be repeated', repeated, [])
        .option('--tag <tag>', 'to find it by; may be repeated', repeated, [])
        .option('--restrictions <json>', 'e.g. {"ip_allowlist": ["10.0.1.50"], "rate_limit": "1000 requests/minute"}')
        .addOption(new Option('--risk <risk>', 'decides how long it lasts').choices(Risk.options).default('medium'))
        .option('--expires-in-days <days>', 'otherwise 30, 90 or 180, by its risk')
        .option('--never-expires', 'it has no end')
        .action(onInstallation(create, createOptions)),
    )
    .addCommand(
      command('list', 'list the keys, never their text')
        .option('--tag <tag>', 'only those with this tag')
        .option('--environment <name>', 'only those of this environment')
        .action(onInstallation(list)),
    )
    .addCommand(
      command('rotate', 'mint a new text for a key; the present one works until the overlap is over')
        .argument('<key-id>')
        .option('--overlap-seconds <seconds>', 'for how long the present text still works; otherwise a day')
        .option('--expires-in-days <days>', 'otherwise the expiry stays as it is')
        .action(onInstallation(rotate)),
    )
    .addCommand(command('disable', 'let a key rest').argument('<key-id>').action(onInstallation(disable)))
    .addCommand(command('enable', 'let a resting key work again').argument('<key-id>').action(onInstallation(enable)))
    .addCommand(
      command('revoke', 'end a key for good')
        .argument('<key-id>')
        .option('--yes', 'do not ask')
        .action(onInstallation(revoke)),
    );
  return key;
}

async function create(place: Workplace, name: string, options: CreateOptions): Promise<void> {
  const { client: client_id, user, environment, permission: permissions, role: roles, tag: tags, risk } = options;
  if ((client_id === undefined) === (user === undefined))
    throw invalid('/owner', 'Name the owner of the key: --client or --user.');
  const input = parsed(
    KeyInput,
    {
      ...{ name, environment, permissions, roles, tags, risk },
      owner: user === undefined ? { client_id } : { user },
      restrictions: jsonIn(options.restrictions),
      ...(options.expiresInDays !== undefined && {
        expires_in_days: parsed(Days, options.expiresInDays, '--expires-in-days'),
      }),
      ...(options.neverExpires && { never_expires: true }),
    },
    createOptions,
  );
  const { id, key, expires_at } = await createApiKey(place.deps, place.actor, input);
  answer(options, { id, key, expires_at }, [
    `Created ${name} (${id}), until ${until(expires_at)}.`,
    `Key, shown only this once: ${key}`,
  ]);
}

function jsonIn(text = '{}'): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('/restrictions', '--restrictions must be JSON.');
  }
}

const until = (expires_at: Date | null) => expires_at?.toISOString() ?? 'it is revoked';

type ListOptions = Json & { tag?: string; environment?: string };

async function list(place: Workplace, options: ListOptions): Promise<void> {
  const { db, now } = place.deps;
  const { tag, environment } = options;
  const keys = await listKeys(db, { tag, environment, limit: most, after: undefined }, now());
  const rows = keys.map((key) => [
    ...[key.id, `${key.versions[0]?.start}…${key.versions[0]?.last_four}`, stateOf(key, now()), key.owner, key.name],
  ]);
  const none = ['There is no key yet: latchkey key create --help'];
  answer(options, { keys: keys.map((key) => viewOf(key, now())) }, keys.length > 0 ? columns(rows) : none);
}

function viewOf(key: ApiKey, now: Date) {
  const { id, name, owner, environment, permissions, roles, restrictions, tags, expires_at, last_used_at } = key;
  const said = { id, name, owner, environment, permissions, roles, restrictions, tags, expires_at, last_used_at };
  return { ...said, state: stateOf(key, now) };
}

async function rotate(place: Workplace, id: string, options: RotateOptions): Promise<void> {
  const input = parsed(RotationInput, {
    ...(options.overlapSeconds !== undefined && { overlap_seconds: Number(options.overlapSeconds) }),
    ...(options.expiresInDays !== undefined && {
      expires_in_days: parsed(Days, options.expiresInDays, '--expires-in-days'),
    }),
  });
  const rotated = await rotateApiKey(place.deps, place.actor, { id: parsed(KeyId, id, '<key-id>'), ...input });
  answer(options, alsoAs('previous_ends_at', rotated), [
    `The present text works until ${rotated.previous_expires_at.toISOString()}.`,
    `The key lasts until ${until(rotated.expires_at)}${rotated.expiry_extended ? ', longer than before' : ''}.`,
    `Key, shown only this once: ${rotated.key}`,
  ]);
}

async function disable(place: Workplace, id: string, options: Json): Promise<void> {
  const { name } = await disableApiKey(place.deps, place.actor, { id: parsed(KeyId, id, '<key-id>') });
  answer(options, { id, state: 'disabled' }, [`Disabled ${name}.`]);
}

async function enable(place: Workplace, id: string, options: Json): Promise<void> {
  const key = await enableApiKey(place.deps, place.actor, { id: parsed(KeyId, id, '<key-id>') });
  answer(options, { id, state: stateOf(key, place.deps.now()) }, [`Enabled ${key.name}.`]);
}

async function revoke(place: Workplace, id: string, options: Json & { yes?: boolean }): Promise<void> {
  const { name } = await getKey(place.deps.db, { id: parsed(KeyId, id, '<key-id>') });
  const isDone = await isConfirmed(`Revoke ${name}? It never works again.`, { ...options, scripts: 'go on' });
  if (isDone) await revokeApiKey(place.deps, place.actor, { id });
  answer(options, { id, revoked: isDone }, [isDone ? `Revoked ${name}.` : 'Nothing changed.']);
}
