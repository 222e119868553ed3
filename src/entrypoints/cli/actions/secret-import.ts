import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { parseDocument, visit } from 'yaml';
import { pathProblem } from '../../../domain/secrets/index.ts';
import { isJsonObject, Problem } from '../../../platform/http/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import { describeForeign, type ForeignVault, listForeign, mustBeSafe, readForeign } from './foreign-vault.ts';
import { answer } from './output.ts';
import { routesOf } from './routes.ts';
import { UsageError } from './usage.ts';

type Data = Record<string, unknown>;
type Options = {
  json?: boolean;
  file?: string;
  vault?: string;
  vaultToken?: string;
  mount: string;
  from: string;
};

/** Prints only names. */
export const bring = onInstallation(
  async (place: CommandContext, path: string | undefined, options: Options) => {
    if (options.vault !== undefined) return bringFromVault(place, path, options);
    if (options.file === undefined || path === undefined)
      throw new UsageError('Name a path with --file, or another Vault with --vault.');
    return bringFile(place, path, { ...options, file: options.file });
  },
  { path: '<path>' },
);

async function bringFile(place: CommandContext, path: string, options: Options & { file: string }): Promise<void> {
  const { file } = options;
  const data = partsIn(await readFile(file, 'utf8'), file);
  const made = await routesOf(place).call('POST /secrets/{path}/versions', { params: { path }, body: { data } });
  answer(options, made, [`Wrote version ${made.number} of ${path}: ${Object.keys(data).sort().join(', ')}.`]);
}

/** @throws UsageError: the file has none */
function partsIn(text: string, file: string): Data {
  const isDocument = /\.(json|ya?ml)$/.test(file);
  const parts: unknown = isDocument ? valuesIn(text, file) : variablesIn(text, file);
  if (isJsonObject(parts) && Object.keys(parts).length > 0) return parts as Data;
  throw new UsageError(`--file: ${file} has no ${isDocument ? 'members' : 'variables'}.`);
}

/**
 * The values of JSON or YAML. A number that would be written differently, such as `0123` or `1.10`, stays a text: it is a password or a
 * version, not an amount.
 *
 * @throws UsageError: where it is not well-formed
 */
function valuesIn(text: string, file: string): unknown {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error)
    throw new UsageError(`--file: ${file} is not well-formed: ${error.code} in line ${error.linePos?.[0].line ?? 1}.`);
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === 'number' && node.source !== undefined && node.source !== String(node.value))
        node.value = node.source;
    },
  });
  return document.toJS();
}

const pemBegins = /^-----BEGIN [A-Z0-9 ]+-----/;

/**
 * Unquoted lines of a key in PEM look like variables, whose names would be parts of the key.
 *
 * @throws UsageError: which line to change
 */
function variablesIn(text: string, file: string): Data {
  if (pemBegins.test(text.trimStart()))
    throw new UsageError(`--file: ${file} is in PEM. Store it as one value: latchkey secret put PATH --file ${file}.`);
  const variables = parseEnv(text);
  const torn = Object.entries(variables).find(
    ([, value]) => pemBegins.test(value ?? '') && !value?.includes('-----END '),
  );
  if (torn)
    throw new UsageError(`--file: put the value of ${torn[0]} in ${file} in double quotes: it has several lines.`);
  return variables;
}

type Result = { path: string; versions: number } | { path: string; problem: string };

/** Every secret of a folder with its versions. A second run resumes where it stopped. */
async function bringFromVault(place: CommandContext, target = '', options: Options): Promise<void> {
  const { vault: url = '', vaultToken: token, mount } = options;
  if (!token) throw new UsageError('Set VAULT_TOKEN: a token that can list and read the secrets.');
  const vault = { url, token, mount };
  mustBeSafe(vault);
  const from = withSlash(options.from);
  const results: Result[] = [];
  for (const path of await listForeign(vault, from)) {
    const name = `${withSlash(target)}${path.slice(from.length)}`;
    results.push(await bringOne(place, { vault, path, name }));
  }
  const failed = results.filter((result) => 'problem' in result);
  answer(options, { items: results }, [
    ...results.map((result) => ('problem' in result ? `${result.path}: ${result.problem}` : doneWords(result))),
    `Imported ${results.length - failed.length} of ${results.length} secrets.`,
  ]);
  if (failed.length > 0) process.exitCode = 1;
}

const withSlash = (folder: string) => (folder === '' || folder.endsWith('/') ? folder : `${folder}/`);
const doneWords = ({ path, versions }: { path: string; versions: number }) =>
  `${path}: ${versions === 1 ? '1 version' : `${versions} versions`} written`;

type One = { vault: ForeignVault; path: string; name: string };

async function bringOne(place: CommandContext, { vault, path, name }: One): Promise<Result> {
  const unfit = pathProblem(name);
  if (unfit) return { path: name, problem: `its path ${unfit}` };
  try {
    const routes = routesOf(place);
    const params = { path: name };
    const { labels, numbers } = await describeForeign(vault, path);
    const there = await routes
      .call('GET /secrets/{path}', { params })
      .then(({ current_version }) => current_version, noneThere);
    // First, so that a resumed import adds them, too.
    if (there === 0 && numbers.length > 0 && Object.keys(labels).length > 0)
      await routes.call('PATCH /secrets/{path}', { params, body: { custom_metadata: labels } });
    let written = 0;
    for (const number of numbers.slice(there)) {
      const data = await readForeign(vault, path, number);
      const body = data && { data, cas: there + written };
      if (body) written += (await routes.call('POST /secrets/{path}/versions', { params, body })) ? 1 : 0;
    }
    return { path: name, versions: written };
  } catch (error) {
    if (error instanceof Problem && error.status < 500 && error.type !== 'remote')
      return { path: name, problem: error.message };
    throw error;
  }
}

/** How many versions were imported before. */
function noneThere(error: unknown): number {
  if (error instanceof Problem && error.type === 'not_found') return 0;
  throw error;
}
