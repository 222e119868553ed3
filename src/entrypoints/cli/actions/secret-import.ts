import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual, parseEnv } from 'node:util';
import { parseDocument, visit } from 'yaml';
import { pathProblem } from '../../../domain/secrets/index.ts';
import { isJsonObject, Problem } from '../../../platform/http/index.ts';
import { type CommandContext, onInstallation } from './command-context.ts';
import {
  describeForeign,
  type ForeignSecret,
  type ForeignVault,
  type ForeignVersion,
  listForeign,
  mustBeSafe,
  readForeign,
  versionsAfter,
} from './foreign-vault.ts';
import { answer, inLine } from './output.ts';
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

/** Importing the same values again writes nothing: the first run may have been stopped before it could say that it had written them. */
async function bringFile(place: CommandContext, path: string, options: Options & { file: string }): Promise<void> {
  const { file } = options;
  const data = partsIn(await readFile(file, 'utf8'), file);
  const routes = routesOf(place);
  const params = { path };
  const names = Object.keys(data).sort().join(', ');
  const found = await foundAt(routes, path);
  const cas = found?.current_version ?? 0;
  const present = cas > 0 ? await readableAt(routes, path) : undefined;
  if (isDeepStrictEqual(present, asStored(data))) {
    const version = found?.versions.find(({ number }) => number === cas);
    return answer(options, version, [`${path} has these values already, as version ${cas}: ${names}.`]);
  }
  const made = await routes.call('POST /secrets/{path}/versions', { params, body: { data, cas } });
  answer(options, made, [`Wrote version ${made.number} of ${path}: ${names}.`]);
}

type Routes = ReturnType<typeof routesOf>;

const asStored = (data: Data): Data => JSON.parse(JSON.stringify(data)) as Data;

/** @returns undefined: there is none */
async function foundAt(routes: Routes, path: string) {
  return routes.call('GET /secrets/{path}', { params: { path } }).catch(unless('not_found'));
}

/** @returns undefined: the current version cannot be read any more */
async function readableAt(routes: Routes, path: string): Promise<Data | undefined> {
  const read = routes.call('GET /secrets/{path}/value', { params: { path }, query: { reason: 'import' } });
  return (await read.catch(unless('deleted', 'destroyed')))?.data;
}

/** @throws any other error */
function unless(...types: string[]) {
  return (error: unknown): undefined => {
    if (!(error instanceof Problem && types.includes(error.type))) throw error;
    return undefined;
  };
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
    ...results.map((result) => ('problem' in result ? `${inLine(result.path)}: ${result.problem}` : doneWords(result))),
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
    const [foreign, found] = [await describeForeign(vault, path), await foundAt(routes, name)];
    const current = found?.current_version ?? 0;
    if (foreign.versions.length > mostVersions)
      return { path: name, problem: `it has more than ${mostVersions} versions` };
    if (current > 0 && !found?.imported)
      return { path: name, problem: 'it has versions that were not imported: choose another folder' };
    const missing = versionsAfter(foreign, found?.imported ?? null);
    if (missing.length > 0) await prepare(routes, { name, foreign, found });
    return { path: name, versions: await writeVersions(place, { vault, path, name, missing, current }) };
  } catch (error) {
    if (error instanceof Problem && error.status < 500 && error.type !== 'remote')
      return { path: name, problem: error.message };
    throw error;
  }
}

const mostVersions = 1000;

type Found = Awaited<ReturnType<typeof foundAt>>;

/** Before the first version, so that a resumed import sets them, too. A secret keeps all versions that the Vault has. */
async function prepare(
  routes: Routes,
  { name, foreign, found }: { name: string; foreign: ForeignSecret; found: Found },
) {
  const params = { path: name };
  const { labels, cas_required, versions } = foreign;
  const settings = found?.current_version
    ? found
    : await routes.call('PATCH /secrets/{path}', { params, body: { custom_metadata: labels, cas_required } });
  const max_versions = Math.min(mostVersions, Math.max(foreign.max_versions, versions.length));
  if (settings.max_versions < max_versions)
    await routes.call('PATCH /secrets/{path}', { params, body: { max_versions } });
}

type Writing = One & { missing: readonly ForeignVersion[]; current: number };

/** @returns how many were written */
async function writeVersions(place: CommandContext, { vault, path, name, missing, current }: Writing): Promise<number> {
  const routes = routesOf(place);
  let cas = current;
  for (const { number, created_at, expires_at } of missing) {
    const data = await readForeign(vault, path, number);
    if (!data) continue;
    const left = expires_at && Math.ceil((expires_at.getTime() - place.installation.now().getTime()) / 1000);
    const ttl = left === undefined ? {} : { ttl_seconds: Math.max(1, left) };
    const body = { data, cas, imported: { number, created_at }, ...ttl };
    await routes.call('POST /secrets/{path}/versions', { params: { path: name }, body });
    cas += 1;
  }
  return cas - current;
}
