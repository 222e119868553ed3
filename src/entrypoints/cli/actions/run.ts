import type { Secret, Secrets } from '../../../../packages/secrets/src/index.ts';
import { environmentFor } from '../../../config.ts';
import { binaryPart, contentOf } from './binary-values.ts';
import { action } from './command-context.ts';
import { type ValueFile, ValueFiles } from './run-files.ts';
import { Program } from './run-program.ts';
import { inWords, openSecrets } from './run-secrets.ts';
import { UsageError } from './usage.ts';

type Options = {
  secret: string[];
  url?: string;
  token?: string;
  role?: string;
  identity: string;
  auth: string;
  files?: string;
  filesOnDisk?: boolean;
  onChange: string;
};

const signals = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGINT'] as const;

/** Reads the secrets, runs the program, and passes on signals and its exit code. If it follows changes, it waits for them. */
export const run = action(async ([program = '', ...given]: string[], options: Options) => {
  const { secret: paths, onChange, files: folder, filesOnDisk: mayBeOnDisk = false } = options;
  if (!['ignore', 'restart', ...signals].includes(onChange))
    throw new UsageError(`--on-change must be ignore, restart or one of ${signals.join(', ')}.`);
  const secrets = secretsFor(options);
  const files = folder === undefined ? undefined : await ValueFiles.open(folder, mayBeOnDisk);
  try {
    const read = await Promise.all(paths.map((path) => secrets.get(path)));
    // From here on signals are passed to the program, so that no file remains.
    const child = new Program(program, given);
    await files?.write(partsOf(read));
    const environment = () => environmentFor(files ? {} : variablesOf(read));
    await child.start(environment());
    const changed = async () => {
      await files?.write(partsOf(read));
      if (onChange === 'restart') await child.restart(environment());
      else if (onChange !== 'ignore') child.signal(onChange as NodeJS.Signals);
    };
    const following = files || onChange !== 'ignore' ? paths : [];
    const how = { isOver: () => child.hasEnded, changed: inTurn(changed) };
    for (const n of following.keys()) await follow(secrets, read, n, how);
    process.exitCode = await child.ended;
  } catch (error) {
    throw inWords(error);
  } finally {
    await files?.remove();
    await secrets.close();
  }
});

function secretsFor({ url, token, role, identity, auth }: Options): Secrets {
  if (!url || (!token && !role))
    throw new UsageError(
      'Set LATCHKEY_URL, and LATCHKEY_TOKEN (an API key or token) or --role (to log in with a token of the workload).',
    );
  if (auth !== 'kubernetes' && auth !== 'jwt') throw new UsageError('--auth must be kubernetes or jwt.');
  return openSecrets(url, role ? { method: auth, role, tokenFile: identity } : { token: token ?? '' });
}

type Following = { isOver: () => boolean; changed: () => Promise<void> };

/** Several secrets may change at once: the changes are applied one after the other. */
function inTurn(act: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  return () => {
    last = last.catch(() => undefined).then(act);
    return last;
  };
}

/** Follows versions of a secret. While a version cannot be read, the program is not changed. */
async function follow(secrets: Secrets, read: Secret[], n: number, { isOver, changed }: Following): Promise<void> {
  const before = read[n];
  if (!before) return;
  await secrets.watch(before.path, async (next, last) => {
    if (isOver()) return;
    read[n] = next;
    await changed().catch((error: unknown) => {
      // The client delivers it again.
      read[n] = last;
      throw error;
    });
  });
}

/** The parts of secrets; of those with the same name the last one counts. A secret with one value is named after its path. */
function partsOf(read: readonly Secret[]): ValueFile[] {
  const parts = read.flatMap(({ path, data }) =>
    Object.entries(data).map(([name, value]) => {
      const isOnly = ['value', binaryPart].includes(name) && Object.keys(data).length === 1;
      return [isOnly ? (path.split('/').at(-1) ?? '') : name, contentOf(name, value)] as const;
    }),
  );
  return [...new Map(parts)].map(([name, content]) => ({ name, content }));
}

/** Each part of a secret is a variable of its name. A variable cannot contain arbitrary bytes: a binary value stays in base64. */
function variablesOf(read: readonly Secret[]): Record<string, string> {
  const variables = partsOf(read).map(({ name, content }) => [
    variableNamed(name),
    typeof content === 'string' ? content : content.toString('base64'),
  ]);
  return Object.fromEntries(variables);
}

/** Names that shells do not accept are converted as usual: `db-password` is `DB_PASSWORD`. */
function variableNamed(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name)
    ? name
    : name
        .toUpperCase()
        .replaceAll(/\W/g, '_')
        .replace(/^(?=\d)/, '_');
}
