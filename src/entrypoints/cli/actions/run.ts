import { environmentFor } from '../../../config.ts';
import { action } from './command-context.ts';
import { note } from './output.ts';
import { Program } from './run-program.ts';
import { type Read, SecretReader } from './run-secrets.ts';
import { UsageError } from './usage.ts';

type Options = {
  secret: string[];
  url?: string;
  token?: string;
  role?: string;
  identity: string;
  auth: string;
  onChange: string;
};

const signals = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGTERM', 'SIGINT'] as const;

/** Reads the secrets, and becomes the program: its signals, and how it ends. Where it is to follow changes, it waits for them. */
export const run = action(async ([program = '', ...given]: string[], options: Options) => {
  const { secret: paths, onChange } = options;
  if (!['ignore', 'restart', ...signals].includes(onChange))
    throw new UsageError(`--on-change must be ignore, restart or one of ${signals.join(', ')}.`);
  const reader = readerFor(options);
  const read = await Promise.all(paths.map((path) => reader.read(path)));
  const environmentOf = (all: readonly Read[]) => environmentFor(Object.assign({}, ...all.map(variablesOf)));
  const child = new Program(program, given);
  await child.start(environmentOf(read));
  if (onChange !== 'ignore')
    for (const [n] of paths.entries())
      void follow(reader, read, n, {
        isOver: () => child.hasEnded,
        changed: async () => {
          if (onChange === 'restart') await child.restart(environmentOf(read));
          else child.signal(onChange as NodeJS.Signals);
        },
      });
  process.exitCode = await child.ended;
  reader.close();
});

function readerFor({ url, token, role, identity, auth }: Options): SecretReader {
  if (!url || (!token && !role))
    throw new UsageError(
      'Set LATCHKEY_URL, and LATCHKEY_TOKEN (an API key or token) or --role (to log in with a token of the workload).',
    );
  if (!['kubernetes', 'jwt'].includes(auth)) throw new UsageError('--auth must be kubernetes or jwt.');
  return new SecretReader(url.replace(/\/$/, ''), role ? { role, identity, auth } : { token: token ?? '' });
}

type Following = { isOver: () => boolean; changed: () => Promise<void> };

/** Waits for versions of a secret, one after the other. What cannot be read meanwhile keeps the program as it is. */
async function follow(reader: SecretReader, read: Read[], n: number, { isOver, changed }: Following): Promise<void> {
  while (!isOver()) {
    const before = read[n];
    if (!before) return;
    try {
      const next = await reader.readAfter(before);
      if (!next || isOver()) continue;
      read[n] = next;
      await changed();
    } catch (error) {
      if (isOver()) return;
      note(`latchkey: ${before.path} cannot be followed at the moment: ${(error as Error).message}`);
      await reader.pause();
    }
  }
}

/** Each part of a secret is a variable of its name; a secret of one value is named by its path. */
function variablesOf({ path, data }: Read): Record<string, string> {
  const entries = Object.entries(data).map(([name, value]) => {
    const isOnly = name === 'value' && Object.keys(data).length === 1;
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return [variableNamed(isOnly ? (path.split('/').at(-1) ?? '') : name), text] as const;
  });
  return Object.fromEntries(entries);
}

/** Names that no shell takes are written as is usual: `db-password` is `DB_PASSWORD`. */
function variableNamed(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name)
    ? name
    : name
        .toUpperCase()
        .replaceAll(/\W/g, '_')
        .replace(/^(?=\d)/, '_');
}
