import { userInfo } from 'node:os';
import { type Config, loadConfig } from '../../../config.ts';
import type { ApplyDeps } from '../../../domain/apply/index.ts';
import { findIssuer } from '../../../domain/resource-servers/index.ts';
import { type Actor, conflict, system } from '../../../platform/http/index.ts';
import { JobSender } from '../../../platform/jobs/index.ts';
import { type CommandHost, hostOf, type OpenInstallation } from '../host.ts';
import { isConfirmed, isTerminal } from './input.ts';
import { fail } from './output.ts';
import { inOptions, type OptionNames } from './usage.ts';

/** The dependencies of a command: the installation, the operator on the machine as the actor, and those of the domain's verbs. */
export type CommandContext = {
  host: CommandHost;
  config: Config;
  installation: OpenInstallation;
  actor: Actor;
  deps: ApplyDeps;
};

/** The form of an input: as options, or in a file, whose members keep their JSON pointers. */
type TypedInput = OptionNames | 'file';

/**
 * Runs an action; an error ends the process with one sentence.
 *
 * @param names the options of members whose option is not their name with dashes
 */
export function action<Arguments extends unknown[]>(
  run: (...given: Arguments) => Promise<void>,
  names: TypedInput = {},
) {
  return async (...given: Arguments): Promise<void> => {
    try {
      await run(...given);
    } catch (error) {
      fail(names === 'file' ? error : inOptions(error, names));
    }
  };
}

/**
 * Makes sure that a command works on an existing installation, or on one that the user wants to make.
 *
 * @throws Problem `conflict`: there is none, and no terminal to ask at
 */
export async function mustHaveInstallation(
  host: CommandHost,
  config: Config,
  { create = false }: { create?: boolean },
): Promise<void> {
  if (create || (await host.hasInstallation(config))) return;
  const none = `There is no installation in ${await host.nameOfPlace(config)}`;
  const isWanted = isTerminal() && (await isConfirmed(`${none}. Make one there?`, { scripts: 'need --yes' }));
  if (isWanted) return;
  const setting = config.databaseUrl ? 'DATABASE_URL' : 'LATCHKEY_DATA_DIR';
  throw conflict(`${none}: set ${setting} to where yours is, or add --create to make a new one.`);
}

/** Runs an action on the installation, whether its server runs or not. */
export function onInstallation<Arguments extends unknown[]>(
  run: (place: CommandContext, ...given: Arguments) => Promise<void>,
  names: TypedInput = {},
) {
  return action(async (...given: Arguments) => {
    const settings = loadConfig();
    // The parameters that Commander passes: the arguments, the options, and the command.
    const host = hostOf(given);
    await mustHaveInstallation(host, settings, given.at(-2) ?? {});
    const installation = await host.openInstallation(settings);
    const jobs = new JobSender(installation.databaseUrl, settings.logLevel);
    try {
      const deps = await host.applyDeps(settings, installation, jobs);
      const config = await atItsIssuer(settings, installation);
      await run({ host, config, installation, actor: operator(), deps }, ...given);
    } finally {
      await jobs.close();
      await installation.close();
    }
  }, names);
}

/** Commands print the server's addresses: unless the issuer is set, it is the one that the server last started with. */
async function atItsIssuer(config: Config, { database }: OpenInstallation): Promise<Config> {
  return config.isIssuerChosen ? config : { ...config, issuer: (await findIssuer(database.db)) ?? config.issuer };
}

/** The operator on the machine, by the name of their account there. */
function operator(): Actor {
  return { ...system, id: accountName(), origin: { user_agent: 'latchkey command' } };
}

function accountName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // An account without a name, as in containers.
    return process.getuid ? `uid ${process.getuid()}` : undefined;
  }
}
