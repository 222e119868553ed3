import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { adminPermissions, adminRoutes } from '../src/entrypoints/admin/index.ts';
import { openApi } from '../src/entrypoints/admin/openapi.ts';
import { program } from '../src/entrypoints/cli/program.ts';
import { commandHost } from '../src/server/command-host.ts';

const root = path.join(import.meta.dirname, '..');

/** Words that must not occur: there is a plain technical term for each. */
const unwanted: readonly RegExp[] = [
  /\bwhat is [\w ]+\?|\bwho is [\w ]+\?|\bwhich [\w ]+ are registered\?|\bwhat happened\?/i,
  /\blook(s|ing)? after\b|\bwhere do you want to go\b/i,
  /\bwhat can be done\b|\bwhat it may\b/i,
  /\btexts? of (a |the )?keys?\b|\bmint(s|ed|ing)? (a |the |an )?(new |API )*(key|text|secret)/i,
  /\bsigns now\b|\bin its turn\b|\bof every outcome\b|\bevery kind\b/i,
  /\bno end\b|\bleave it as it is\b|\bit does, go on\b|\bit does not\b$/im,
  /\bpeople\b(?! and their tools| who)/i,
  /\bbrowsers you are signed in with\b|\bt(ake|akes|aking|aken|ook)s? back\b|\blet(s|ting)? (a |the )?(key )?rest\b/i,
  /\blink with which\b/i,
  /\bnothing here is like that\b|\btold of\b|\bgoes to\b/i,
  /\bdeeds?\b|\bone['’]s own\b|\bwhoever\b|\bnobody may\b|\bwhat is held\b|\bis away\b|\bwhom\b|\bsomebody else['’]s\b/i,
  /\b(no|some|every)body\b(?!')|\blook-ups?\b|\bset-up\b|\bthis very\b|\blives? (for|until)\b|\bgives? (those )?away\b/i,
  /\bthe vault (is|was) (un)?(sealed|open)|\b(recogni|normali|seriali)se[ds]?\b|\bgo(es)? on with\b|\bwould end\b|\beternal\b/i,
  /\bdies\b|\blets? nobody\b|\bwhose it is\b|\bstands? (in|under|with|apart)\b|\bgive(s|n)? away what they\b/i,
];

function matchesIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const found = unwanted.map((pattern) => pattern.exec(line)?.[0]).filter(Boolean);
    return found.length > 0 ? [`${found.join(', ')}: ${line.trim().slice(0, 160)}`] : [];
  });
}

const inFolder = (folder: string) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name));
const isPage = (file: string) => file.endsWith('.md');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...[...inFolder('docs'), ...inFolder('examples')].filter(isPage),
];

const templates = inFolder('views').filter((file) => file.endsWith('.eta'));
const catalogues = inFolder('src/entrypoints/pages/languages').filter((file) => path.basename(file).startsWith('en'));

test.each([...pages, ...templates, ...catalogues])('%s is in plain words', (page) => {
  expect(matchesIn(readFileSync(path.join(root, page), 'utf8'))).toEqual([]);
});

/** The complete output of `--help` of a command and its subcommands. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return [text, ...command.commands.map(helpOf)].join('\n');
}

/** The sentences in string literals of a file: texts of pages, refusals and hints. */
const sentencesIn = (file: string) =>
  readFileSync(path.join(root, file), 'utf8')
    .split('\n')
    .filter((line) => !/^\s*(\/\/|\/?\*)/.test(line))
    .flatMap((line) => [...line.matchAll(/(['`])([A-Z][^'`]*\s[^'`]*)\1/g)].map(([, , text = '']) => text));

test('the sentences in the source are in plain words', () => {
  const sources = ['src', 'packages/guard/src', 'packages/secrets/src'].flatMap(inFolder);
  const files = sources.filter((file) => file.endsWith('.ts') && !/languages\/de/.test(file));
  const sentences = files.flatMap((file) => sentencesIn(file).map((text) => ({ file, text })));
  expect(sentences.length).toBeGreaterThan(2000);
  expect(sentences.filter(({ text }) => matchesIn(text).length > 0)).toEqual([]);
});

test('the help of the command line is in plain words', () => {
  expect(matchesIn(helpOf(program(commandHost)))).toEqual([]);
});

test('the OpenAPI description and the permissions of the admin API are in plain words', () => {
  const place = { issuer: 'https://id.example', version: '1.0.0', prefix: '/admin/v1', audience: 'urn:admin' };
  const described = [openApi(adminRoutes, place), adminPermissions];
  expect(matchesIn(JSON.stringify(described, undefined, 1))).toEqual([]);
});

test('the words are found', () => {
  expect(matchesIn('Every deed is told of.')).toEqual(['told of, deed: Every deed is told of.']);
});
