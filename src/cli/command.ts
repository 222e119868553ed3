import { userInfo } from 'node:os';
import { Command } from 'commander';
import type { ApplyDeps } from '../apply/index.ts';
import { type Config, loadConfig } from '../config.ts';
import { type Installation, openInstallation } from '../installation.ts';
import { type Actor, system } from '../platform/http/index.ts';
import { failWithSentence } from './output.ts';

/** What a command works with: the installation, who is at the machine, and what the rooms' verbs need. */
export type Workplace = { config: Config; installation: Installation; actor: Actor; deps: ApplyDeps };

/** A command with what all have: `--json`, and a failure as one sentence with exit code 1. */
export function command(name: string, description: string): Command {
  return new Command(name).description(description).option('--json', 'answer as JSON');
}

/** Runs an action; whatever it throws ends the process with one sentence. */
export function action<Arguments extends unknown[]>(run: (...given: Arguments) => Promise<void>) {
  return async (...given: Arguments): Promise<void> => {
    try {
      await run(...given);
    } catch (error) {
      failWithSentence(error);
    }
  };
}

/** Runs an action on the installation, beside a running server or on a stopped one, and leaves it as it was found. */
export function onInstallation<Arguments extends unknown[]>(
  run: (place: Workplace, ...given: Arguments) => Promise<void>,
) {
  return action(async (...given: Arguments) => {
    const config = loadConfig();
    const installation = await openInstallation(config);
    try {
      const { database, keys, now } = installation;
      const deps = { db: database.db, keys, now, validateMetadata };
      await run({ config, installation, actor: operator(), deps }, ...given);
    } finally {
      await installation.close();
    }
  });
}

// Loaded when it is needed: most commands start faster without the provider.
async function validateMetadata(metadata: Record<string, unknown>): Promise<void> {
  const { clientMetadataRules } = await import('../oidc/index.ts');
  await clientMetadataRules()(metadata);
}

/** The person at the machine, by the name of their account there. */
function operator(): Actor {
  return { ...system, id: accountName(), origin: { user_agent: 'latchkey command' } };
}

function accountName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // An account without a name, as containers have.
    return process.getuid ? `uid ${process.getuid()}` : undefined;
  }
}
