import { Command } from 'commander';
import { createResourceServer, listResourceServers, ResourceServerInput } from '../../domain/resource-servers/index.ts';
import { command, onInstallation, type Workplace } from './command.ts';
import { parsed } from './input.ts';
import { answer, columns } from './output.ts';
import type { OptionNames } from './usage.ts';

/** How the members of a registration are typed. */
const createOptions: OptionNames = {
  identifier: '<identifier>',
  access_token_format: '--format',
  scopes: '--scope',
};

type CreateOptions = { json?: boolean; name?: string; scope: string[]; format: string; assignmentRequired?: boolean };

/** `latchkey resource-server …` */
export function resourceServerCommand(): Command {
  const resourceServer = new Command('resource-server').description('protected APIs');
  resourceServer
    .addCommand(
      command('create', 'register a protected API')
        .argument('<identifier>', 'its URI, which becomes the audience of its tokens')
        .option('--name <name>', 'shown to people')
        .option(
          '--scope <name=description>',
          'a scope and what people read; may be repeated',
          (scope, scopes: string[]) => [...scopes, scope],
          [],
        )
        .option('--format <format>', 'of its access tokens: opaque or jwt', 'opaque')
        .option('--assignment-required', 'people also need a role that allows the scope')
        .action(onInstallation(create, createOptions)),
    )
    .addCommand(command('list', 'list the protected APIs').action(onInstallation(list)));
  return resourceServer;
}

async function create({ deps, actor }: Workplace, identifier: string, options: CreateOptions): Promise<void> {
  const { name = identifier, scope, format, assignmentRequired = false } = options;
  const scopes = scope.map((text) => {
    const [first = '', ...rest] = text.split('=');
    return { name: first, ...(rest.length > 0 && { description: rest.join('=') }) };
  });
  const wanted = { identifier, name, access_token_format: format, assignment_required: assignmentRequired, scopes };
  const input = parsed(ResourceServerInput, wanted, createOptions);
  await createResourceServer(deps, actor, input);
  answer(options, input, [`Created resource server ${identifier}.`]);
}

async function list({ deps }: Workplace, options: { json?: boolean }): Promise<void> {
  const servers = await listResourceServers(deps.db);
  const rows = servers.map((server) => [
    server.identifier,
    server.access_token_format,
    server.enabled ? 'enabled' : 'disabled',
    server.permissions.map(({ name }) => name).join(' '),
  ]);
  const none = ['There is no resource server yet: latchkey resource-server create --help'];
  answer(options, { resource_servers: servers }, servers.length > 0 ? columns(rows) : none);
}
