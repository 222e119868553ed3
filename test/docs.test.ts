import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { SourceTextModule } from 'node:vm';
import type { Command } from 'commander';
import { z } from 'zod';
import { settings } from '../src/config/settings.ts';
import { readConfigurationFile } from '../src/domain/apply/index.ts';
import { ConfigurationFile } from '../src/domain/apply/schemas.ts';
import { checkClient } from '../src/domain/clients/index.ts';
import { adminClient, adminPermissions } from '../src/entrypoints/admin/index.ts';
import { remoteServer } from '../src/entrypoints/cli/actions/remote-server.ts';
import { routeCommands } from '../src/entrypoints/cli/actions/route-commands.ts';
import { program } from '../src/entrypoints/cli/program.ts';
import { clientMetadataRules } from '../src/entrypoints/oauth/index.ts';
import { ClientMetadata } from '../src/entrypoints/oauth/provider/client-metadata-schema.ts';
import { librarySeams } from '../src/entrypoints/oauth/provider/library-seams.ts';
import { docFiles, linkedAddress, readDoc } from '../src/entrypoints/pages/docs/doc-files.ts';
import { renderMarkdown } from '../src/entrypoints/pages/docs/markdown.ts';
import { commandHost } from '../src/server/command-host.ts';

const all = program(commandHost);

const root = path.join(import.meta.dirname, '..');
const inFolder = (folder: string) => readdirSync(path.join(root, folder)).map((name) => path.join(folder, name));
const folders = ['.', 'docs', 'docs/quickstarts', ...inFolder('examples')];
const pages = folders.flatMap(inFolder).filter((file) => file.endsWith('.md'));
const text = (file: string) => readFileSync(path.join(root, file), 'utf8');
const matches = (pattern: RegExp, source: string) => [...source.matchAll(pattern)].map(([, found = '']) => found);

const codeOf = (file: string, language: string) =>
  matches(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'), text(file));
const inlineCodeOf = (file: string) => matches(/`([^`\n]+)`/g, text(file).replaceAll(/^```[\s\S]*?^```/gm, ''));

/** The ids that GitHub derives from headings. */
const anchorsOf = (file: string) =>
  matches(/^#+ (.+)$/gm, text(file)).map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** Reads a configuration file from a folder with all files that it refers to, and with every variable set. */
async function readWithItsSecrets(yaml: string) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'latchkey-docs-'));
  try {
    for (const named of matches(/\{ file: ([^ }]+) \}/g, yaml)) {
      await mkdir(path.dirname(path.join(folder, named)), { recursive: true });
      await writeFile(path.join(folder, named), 'a secret of a documented file\n');
    }
    const file = path.join(folder, 'latchkey.yaml');
    await writeFile(file, yaml);
    return await readConfigurationFile(file, () => 'a secret of a documented variable');
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('the docs of a server', () => {
  const files = docFiles();
  const issuer = 'https://id.example.com';
  const served = [...files.values()].filter(({ type }) => type === 'page');
  const shown = (doc: (typeof served)[number]) =>
    readDoc(doc, issuer).then((source) => renderMarkdown(source, (href) => linkedAddress(files, doc, href)));

  test('are complete', () => {
    const found = served.map(({ file }) => file).sort();
    expect(found).toEqual([...pages.filter((page) => page.startsWith('docs/')), '.env.example', 'README.md'].sort());
  });

  test('link only to served pages, and to headings that exist', async () => {
    const htmls = new Map(await Promise.all(served.map(async (doc) => [doc.path, (await shown(doc)).html] as const)));
    const links = [...htmls].flatMap(([at, html]) =>
      matches(/(?:href|src)="([^"]*)"/g, html).map((link) => ({ at, link })),
    );
    const broken = links.filter(({ link }) => {
      const [address = '', anchor] = link.split('#');
      if (/^https?:/.test(link)) return false;
      return !files.has(address) || (anchor !== undefined && !htmls.get(address)?.includes(` id="${anchor}"`));
    });
    expect(links.length).toBeGreaterThan(100);
    expect(broken).toEqual([]);
  });

  test('show raw HTML as text, do not link unsafe addresses, and contain no styles', async () => {
    const hostile =
      '# Title\n\n<script>alert(1)</script> [a](javascript:alert(1)) [b](../../etc/passwd)\n\n|a|\n|-:|\n|1|\n';
    const [doc] = served;
    if (!doc) throw new Error('no docs');
    const { html } = await renderMarkdown(hostile, (href) => linkedAddress(files, doc, href));
    expect(html).toContain('&lt;script&gt;');
    expect(html).not.toMatch(/<script|href=|style=/);
    for (const each of served) expect((await shown(each)).html).not.toMatch(/ style=|http:\/\/localhost:3000/);
  });
});

describe.each(pages)('%s', (page) => {
  test('links to existing pages', () => {
    const links = [...matches(/\]\(([^)\s]+)\)/g, text(page)), ...matches(/<img src="([^"]+)"/g, text(page))];
    const broken = links.filter((link) => !/^https?:/.test(link) && !leadsSomewhere(page, link));
    expect(broken).toEqual([]);
  });

  test('names commands and options that exist', () => {
    const code = [...codeOf(page, 'sh'), ...codeOf(page, 'console'), ...inlineCodeOf(page)];
    expect(code.flatMap(commandLines).flatMap(wrongWords)).toEqual([]);
  });

  // The name is not registered yet: anyone who registers it could run code on the reader's machine.
  test('runs no package of ours that npm would look for in a public registry', () => {
    expect(
      matches(/\b(npx (?:-\S+ )*latchkey\b.*|npm (?:i|install|exec)\b.* latchkey(?![\w./-]).*)/g, text(page)),
    ).toEqual([]);
  });

  test('names settings that exist', () => {
    expect(unknownSettings(text(page))).toEqual([]);
  });

  test('names permissions that exist', () => {
    const named = matches(/(?<!urn:)\b(latchkey:[a-z_]+:[a-z_]+)\b/g, text(page));
    expect(named.filter((name) => !Object.hasOwn(adminPermissions, name))).toEqual([]);
  });

  test('names files that exist', () => {
    const named = inlineCodeOf(page).flatMap((code) => matches(/^((?:src|db|test|views|bin|docs)\/[\w./-]+)$/g, code));
    expect(named.filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });

  test('shows configuration files that can be applied, and programs that can be parsed', async () => {
    for (const yaml of codeOf(page, 'yaml')) {
      const { clients } = await readWithItsSecrets(yaml);
      for (const client of clients) await checkClient({ validateMetadata: clientMetadataRules() }, client);
    }
    for (const program of codeOf(page, 'js')) new SourceTextModule(program);
    for (const json of codeOf(page, 'json')) JSON.parse(json);
  });
});

function leadsSomewhere(page: string, link: string): boolean {
  const [target = '', anchor] = link.split('#');
  const file = target ? path.join(path.dirname(page), target) : page;
  if (!existsSync(path.join(root, file))) return false;
  return anchor === undefined || anchorsOf(file).includes(anchor);
}

/** The words after each name of the command; quoted arguments are left out. */
function commandLines(code: string): string[][] {
  const calls = matches(
    /(?:^|[|({] ?|exec latchkey )latchkey ([^|;&)<>]*?)(?=$|[|;&)<>])/gm,
    code.replaceAll(/"[^"\n]*"/g, '…'),
  );
  return calls.map((call) => call.split(/\s+/).filter(Boolean));
}

function wrongWords(words: string[]): string[] {
  let command = all;
  const wrong: string[] = [];
  for (const word of words) {
    const [name = ''] = word.split('=');
    const next = command.commands.find((each) => each.name() === name);
    // The commands of `latchkey api` are the routes of the admin API.
    if (next) command = name === 'api' ? routeCommands(adminClient(remoteServer({ profile: '' }))) : next;
    else if (name.startsWith('-') ? !takes(command, name) : command.commands.length > 0 && /^[a-z]/.test(name))
      wrong.push(`latchkey ${words.join(' ')}: ${name}`);
  }
  return wrong;
}

function takes(command: Command, name: string): boolean {
  return name === '--help' || command.options.some(({ long, short }) => long === name || short === name);
}

function unknownSettings(source: string): string[] {
  const known = settings.flatMap(({ name, isSecret }) => (isSecret ? [name, `${name}_FILE`] : [name]));
  const ofCommands = all.commands.flatMap(({ options }) => options.map(({ envVar }) => envVar));
  const ofTests = ['LATCHKEY_TEST_DATABASE_URL', 'LATCHKEY_TEST_PICTURES'];
  const named = matches(/\b(LATCHKEY_[A-Z_]+)\b/g, source);
  return named.filter((name) => ![...known, ...ofCommands, ...ofTests].includes(name));
}

describe('the command line page', () => {
  const sections = new Map(
    matches(/^### `([\s\S]*?)(?=^#|$(?![\s\S]))/gm, text('docs/command-line.md')).map((section) => [
      section.slice(0, section.indexOf('`')).replaceAll(/ (?:--|[[A-Z]).*/g, ''),
      section,
    ]),
  );
  const leaves = (command: Command, name: string): [string, Command][] =>
    command.commands.length > 0
      ? command.commands.flatMap((each) => leaves(each, `${name} ${each.name()}`))
      : [[name, command]];

  test.each(leaves(all, 'latchkey'))('has %s with all its options', (name, command) => {
    const section = sections.get(name) ?? '';
    expect(section).not.toBe('');
    const options = command.options
      .map(({ long }) => long ?? '')
      .filter((long) => !['--json', '--create'].includes(long));
    expect(options.filter((long) => !section.includes(`${long}`))).toEqual([]);
  });
});

test('the page on configuration as code has every member of the file', () => {
  const named = new Set(inlineCodeOf('docs/configuration-as-code.md'));
  const members = matches(
    /"([a-z_]+)":\{"/g,
    JSON.stringify(propertiesOf(z.toJSONSchema(ConfigurationFile, { io: 'input' }))),
  );
  expect(members.length).toBeGreaterThan(30);
  expect(members.filter((member) => !named.has(member))).toEqual([]);
});

test('the page on configuration as code has every client member that is accepted', () => {
  const members = Object.keys(ClientMetadata.shape);
  const named = new Set(inlineCodeOf('docs/configuration-as-code.md'));
  expect(members).toContain('redirect_uris');
  expect(members.filter((member) => !named.has(member))).toEqual([]);
});

test('the map of the architecture has every module', () => {
  const modules = ['src/domain', 'src/entrypoints', 'src/platform'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { withFileTypes: true }).filter((entry) => entry.isDirectory()),
  );
  const [map = ''] = matches(/^```mermaid\n([\s\S]*?)^```/gm, text('docs/architecture.md'));
  expect(modules.map(({ name }) => name).filter((name) => !map.includes(`${name}/`))).toEqual([]);
});

type Schema = { properties?: Record<string, Schema>; items?: Schema };

/** The members of a schema, nested: `{ clients: { client_id: {…} } }`. */
function propertiesOf(schema: unknown): object {
  const { properties = {}, items } = schema as Schema;
  const inside = items ? propertiesOf(items) : {};
  const own = Object.entries(properties).map(([name, member]) => [name, { is: 'member', ...propertiesOf(member) }]);
  return { ...inside, ...Object.fromEntries(own) };
}

describe('the list of places where oidc-provider is adapted', () => {
  test.each(librarySeams)('names a file and a test that exist: $what', ({ file, test: [testFile, name] }) => {
    expect(existsSync(path.join(root, 'src', file))).toBe(true);
    const source = text(path.join('test', testFile));
    expect([`'${name}'`, `"${name}"`].some((quoted) => source.includes(quoted))).toBe(true);
  });

  test('contains the only casts to what its types do not show', () => {
    const folder = 'src/entrypoints/oauth';
    const casting = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && text(path.join(folder, file)).includes('as unknown as'),
    );
    expect(casting).toEqual(['provider/library-seams.ts']);
  });
});

describe('the image', () => {
  const copied = matches(/^COPY (?!--from)(.+) \S+$/gm, text('Dockerfile')).flatMap((sources) => sources.split(' '));

  test('is built from existing files, with existing settings', () => {
    const kept = matches(/^!(.+)$/gm, text('.dockerignore'));
    expect(copied.filter((file) => !existsSync(path.join(root, file)) || !kept.includes(file))).toEqual([]);
    expect(unknownSettings(text('compose.yaml') + text('Dockerfile'))).toEqual([]);
  });

  test('has every file that the server imports when it starts', () => {
    const sources = ['src', 'db'].flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => path.join(folder, file)),
    );
    const imported = sources.flatMap((file) =>
      matches(/^(?:import|export|\}) [^;]*?from '(\.[^']+)'/gm, text(file)).map((target) =>
        path.join(path.dirname(file), target),
      ),
    );
    const isCopied = (file: string) => copied.some((from) => file.startsWith(`${from}${path.sep}`));
    expect(imported.filter((file) => !isCopied(file))).toEqual([]);
  });
});
