import { contains, intersection, isPermissionPattern } from '../../../domain/access/index.ts';
import { type Place, type PlaceKind, placeKinds, placesOf } from './places.ts';
import { rulesIn } from './policy-text.ts';
import { PolicyError, type PolicyRule } from './rule.ts';
import { bySpecificity } from './specificity.ts';

/** The permissions of a policy at the store, and its rules without effect. */
export type CompiledPolicy = { permissions: string[]; warnings: string[] };

/**
 * Compiles a policy to permissions. They never allow more than it does, except what one permission combines: writing a secret includes its
 * settings, deleting includes undeleting, listing includes metadata.
 *
 * @throws PolicyError, naming the line: permissions cannot express it
 */
export function compilePolicy(text: string): CompiledPolicy {
  const rules = rulesIn(text);
  for (const { path, capabilities, line } of rules)
    if (capabilities.includes('deny')) throw new PolicyError(line, deniedWords(path));
  const places = merged(rules.flatMap(placesOf));
  const given = places.map((place) => ({ place, verbs: verbsOf(place) }));
  mustNotNarrow(given);
  const permissions = [...new Set(given.flatMap(({ place, verbs }) => verbs.map((verb) => permissionOf(place, verb))))];
  mustNotWriteSettingsAlone(places, permissions);
  const tooLong = places.find(({ target }) => target !== '' && !isPermissionPattern(`secrets:destroy:${target}`));
  if (tooLong) throw new PolicyError(tooLong.rule.line, `path "${tooLong.rule.path}" is too long`);
  return { permissions, warnings: warningsOf(places) };
}

const deniedWords = (path: string) =>
  `path "${path}": "deny" cannot be expressed, since permissions only allow. What no policy names is refused: leave it out, and name what is allowed.`;

/** Rules for the same path count as one. */
function merged(places: readonly Place[]): Place[] {
  const byPath = Map.groupBy(places, ({ kind, target, rule }) => `${kind} ${target} ${rule.path}`);
  return [...byPath.values()].flatMap(([first, ...others]) => {
    if (!first) return [];
    const capabilities = [first, ...others].flatMap(({ rule }) => rule.capabilities);
    return [{ ...first, rule: { ...first.rule, capabilities } }];
  });
}

type Verb = 'read' | 'write' | 'delete' | 'destroy' | 'list' | 'policies' | 'policies-read' | 'seal';

/** The verb for each capability at each kind of path. A write needs the first two capabilities. */
const verbs: Readonly<Record<PlaceKind, Readonly<Record<string, Verb>>>> = {
  data: { read: 'read', create: 'write', update: 'write', patch: 'write', delete: 'delete' },
  metadata: { list: 'list', read: 'list', delete: 'destroy' },
  delete: { update: 'delete' },
  undelete: { update: 'delete' },
  destroy: { update: 'destroy' },
  kv: { read: 'read', create: 'write', update: 'write', delete: 'delete', list: 'list' },
  policies: {
    read: 'policies-read',
    list: 'policies-read',
    create: 'policies',
    update: 'policies',
    delete: 'policies',
  },
  seal: { update: 'seal' },
};

function verbsOf({ kind, rule }: Place): Verb[] {
  const { capabilities, path, line } = rule;
  const has = (capability: string) => capabilities.includes(capability);
  const isWrite = kind === 'data' || kind === 'kv';
  if (isWrite && has('create') !== has('update'))
    throw new PolicyError(
      line,
      `path "${path}": "create" and "update" are one permission here, so name both; with one alone the other would be allowed, too`,
    );
  if (isWrite && has('patch') && !has('create'))
    throw new PolicyError(line, `path "${path}": "patch" is part of writing here: name "create" and "update", too`);
  if (kind === 'metadata' && has('list') && !has('read') && !path.endsWith('*'))
    throw new PolicyError(line, `path "${path}": to list a folder, write "${path}/*"`);
  if (kind === 'seal' && has('update') && !has('sudo') && path === 'sys/seal')
    throw new PolicyError(line, `path "${path}": sealing needs "update" and "sudo"`);
  return [...new Set(capabilities.flatMap((capability) => verbs[kind][capability] ?? []))].filter(
    (verb) => verb !== 'seal' || has('sudo'),
  );
}

const permissionOf = ({ target }: Place, verb: Verb) =>
  target === '' ? `secrets:${verb}` : `secrets:${verb}:${target}`;

type Given = { place: Place; verbs: readonly Verb[] };

/**
 * If several paths match, Vault uses only the most specific one. A permission cannot remove what another grants.
 *
 * @throws PolicyError, naming both lines
 */
function mustNotNarrow(given: readonly Given[]): void {
  for (const kind of placeKinds) {
    const ofKind = given.filter(({ place }) => place.kind === kind);
    for (const wide of ofKind) for (const narrow of ofKind) mustInclude(narrow, wide);
  }
}

function mustInclude(narrow: Given, wide: Given): void {
  const [{ rule }, { rule: general }] = [narrow.place, wide.place];
  if (narrow === wide || bySpecificity(rule.path, general.path) > 0) return;
  const lost = wide.verbs.find((verb) => !narrow.verbs.includes(verb));
  if (lost === undefined) return;
  const shared = intersection([`secrets:${lost}:${narrow.place.target}`], [`secrets:${lost}:${wide.place.target}`]);
  if (shared.length === 0) return;
  const said = `path "${rule.path}" allows less than "${general.path}" in line ${general.line}, which matches it, too. Permissions only add up: narrow that path, or allow the same here.`;
  throw new PolicyError(rule.line, said);
}

/** Changing settings is part of writing. @throws PolicyError */
function mustNotWriteSettingsAlone(places: readonly Place[], permissions: readonly string[]): void {
  const isWrite = (capability: string) => ['create', 'update', 'patch'].includes(capability);
  for (const place of places) {
    if (place.kind !== 'metadata' || !place.rule.capabilities.some(isWrite)) continue;
    if (contains(permissions, [permissionOf(place, 'write')])) continue;
    const { line, path } = place.rule;
    throw new PolicyError(
      line,
      `path "${path}": changing metadata is part of writing here: allow "create" and "update" at "${path.replace('/metadata/', '/data/')}", too`,
    );
  }
}

function warningsOf(places: readonly Place[]): string[] {
  const rules = places.flatMap(({ kind, rule }) =>
    kind === 'data' && rule.capabilities.includes('list') ? [rule] : [],
  );
  const isNamed = ({ path }: PolicyRule) => path.startsWith('secret/data/');
  return rules
    .filter(isNamed)
    .map(
      ({ line, path }) => `line ${line}: "list" has no effect at "${path}": secrets are listed at "secret/metadata/"`,
    );
}
