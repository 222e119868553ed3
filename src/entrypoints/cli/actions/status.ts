import { hasOwner } from '../../../domain/access/index.ts';
import { listEveryClient } from '../../../domain/clients/index.ts';
import { listResourceServers } from '../../../domain/resource-servers/index.ts';
import { listSigningKeys, stateOf } from '../../../domain/signing-keys/index.ts';
import { listUsers } from '../../../domain/users/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { answer, columns } from './output.ts';

export const status = onInstallation(
  async ({ host, config, installation }: CommandContext, options: { json?: boolean }) => {
    const { database, databaseName, now } = installation;
    const { db } = database;
    const [clients, servers, users, keys] = await Promise.all([
      listEveryClient(db),
      listResourceServers(db),
      listUsers(db),
      listSigningKeys(db),
    ]);
    const facts = {
      version: host.readVersion(),
      issuer: config.issuer ?? null,
      database: databaseName,
      has_owner: await hasOwner(db),
      clients: clients.length,
      resource_servers: servers.length,
      users: users.length,
      signing_keys: keys.map((key) => ({ kid: key.kid, alg: key.alg, state: stateOf(key, keys, now()) })),
    };
    const signing = facts.signing_keys
      .filter(({ state }) => state !== 'retired')
      .map(({ alg, state }) => `${alg} ${state}`);
    const rows = [
      ['Version', facts.version],
      ['Issuer', facts.issuer ?? 'the address it listens on'],
      ['Database', `${databaseName}, at this version`],
      ['Administrator', facts.has_owner ? 'yes' : 'none yet: latchkey setup-link'],
      ['Clients', String(facts.clients)],
      ['Resource servers', String(facts.resource_servers)],
      ['Users', String(facts.users)],
      ['Signing keys', signing.join(', ')],
    ];
    answer(options, facts, columns(rows));
  },
);
