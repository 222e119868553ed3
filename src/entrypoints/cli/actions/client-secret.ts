import { addClientSecret, ClientInput } from '../../../domain/clients/index.ts';
import { notFound } from '../../../platform/http/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { Days, isConfirmed, parsed, readSecret } from './input.ts';
import { answer, answerPage } from './output.ts';
import { routesOf } from './routes.ts';

type Json = { json?: boolean };
type AddOptions = Json & { label?: string; expiresInDays?: string; secretStdin?: boolean };

export const add = onInstallation(async (place: CommandContext, client_id: string, options: AddOptions) => {
  const { label } = options;
  const expires_in_days =
    options.expiresInDays === undefined ? undefined : parsed(Days, options.expiresInDays, '--expires-in-days');
  const given = options.secretStdin ? await givenSecret() : undefined;
  if (given !== undefined) return addGiven(place, { client_id, given, label, expires_in_days }, options);
  const body = { label, expires_in_days };
  const made = await routesOf(place).call('POST /clients/{client_id}/secrets', { params: { client_id }, body });
  answer(options, made, [
    `Added secret ${made.number} to ${client_id}; its other secrets remain valid.`,
    `Client secret, shown only this once: ${made.client_secret}`,
  ]);
  return undefined;
});

async function givenSecret(): Promise<string> {
  return parsed(ClientInput.shape.client_secret.unwrap(), (await readSecret('Secret: ')) ?? '', '--secret-stdin');
}

type Given = { client_id: string; given: string; label: string | undefined; expires_in_days: number | undefined };

/** The API accepts no chosen secret: it could be guessed. The operator on the machine may choose one. */
async function addGiven({ deps, actor }: CommandContext, secret: Given, options: Json): Promise<void> {
  const { client_id, given, label, expires_in_days: days } = secret;
  const expires_at = days === undefined ? undefined : new Date(deps.now().getTime() + days * 86_400_000);
  const added = await addClientSecret(deps, actor, { client_id, given, label, expires_at });
  const { client_secret: _, ...made } = added;
  answer(options, made, [`Added secret ${made.number} to ${client_id}; its other secrets remain valid.`]);
}

export const list = onInstallation(async (place: CommandContext, client_id: string, options: Json) => {
  const { items } = await routesOf(place).call('GET /clients/{client_id}/secrets', { params: { client_id } });
  answerPage(
    options,
    { items },
    {
      row: ({ number, id, last_four, label, created_at, expires_at, revoked_at }) => [
        String(number),
        id,
        last_four === null ? '' : `…${last_four}`,
        `created ${created_at.toISOString()}`,
        stateOf({ revoked_at, expires_at }),
        label ?? '',
      ],
      none: `${client_id} has no secrets.`,
    },
  );
});

export const revoke = onInstallation(
  async (place: CommandContext, client_id: string, secret: string, options: Json & { yes?: boolean }) => {
    const routes = routesOf(place);
    const { items } = await routes.call('GET /clients/{client_id}/secrets', { params: { client_id } });
    const found = items.find(({ id, number }) => id === secret || String(number) === secret);
    if (!found) throw notFound('client secret', secret);
    const question = `Revoke secret ${found.number} of ${client_id}? It is refused at once, and cannot be restored.`;
    const isDone = await isConfirmed(question, { ...options, scripts: 'continue' });
    const params = { client_id, secret_id: found.id };
    if (isDone) await routes.call('POST /clients/{client_id}/secrets/{secret_id}/revoke', { params });
    const after = await routes.call('GET /clients/{client_id}/secrets', { params: { client_id } });
    const shown = after.items.find(({ id }) => id === found.id) ?? found;
    answer(options, shown, [isDone ? `Revoked secret ${found.number} of ${client_id}.` : 'Nothing changed.']);
  },
);

function stateOf({ revoked_at, expires_at }: { revoked_at: Date | null; expires_at: Date | null }): string {
  if (revoked_at) return `revoked ${revoked_at.toISOString()}`;
  return expires_at ? `expires ${expires_at.toISOString()}` : 'never expires';
}
