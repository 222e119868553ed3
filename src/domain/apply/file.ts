import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { invalid, issuesIn, type Problem, pointerTo, validationWords } from '../../platform/http/index.ts';
import { type ReadEnvironment, resolveReferences } from './references.ts';
import { ConfigurationFile, keys } from './schemas.ts';

const maxBytes = 16 * 1024 * 1024;

// Each client may take its defaults from an anchor; the bound keeps nested aliases from growing without limit.
const maxAliases = 20_000;

/**
 * Reads and checks a configuration file in YAML or JSON (a subset of YAML). Secrets that it refers to are read from the environment
 * of this process and from files.
 *
 * @throws Problem `invalid` naming the file and every wrong member, without values
 */
export async function readConfigurationFile(path: string, env: ReadEnvironment): Promise<ConfigurationFile> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw invalid('', `Cannot read ${path} (${error.code}).`);
  });
  if (text.length > maxBytes) throw invalid('', `${path} is larger than 16 MiB.`);
  const content = (await parsedText(path, text)) ?? {};
  await resolveReferences({ path, env }, content);
  const parsed = ConfigurationFile.safeParse(content, { error: validationWords });
  if (!parsed.success) throw wrongMembers(path, parsed.error);
  refuseTwins(path, parsed.data);
  return parsed.data;
}

async function parsedText(path: string, text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text, { maxAliasCount: maxAliases, merge: true, prettyErrors: false });
  } catch (error) {
    throw invalid('', `${path} is neither JSON nor YAML: ${error instanceof Error ? error.message : error}.`);
  }
}

function wrongMembers(path: string, error: z.ZodError): Problem {
  const issues = issuesIn(error);
  const lines = issues.map((issue) => `/${issue.path.map(String).join('/')} ${issue.message}`);
  return invalid(pointerTo(issues[0]?.path ?? []), `${path}: ${lines.join('; ')}.`);
}

/** Refuses duplicate names: the later entry would silently override the earlier one. */
function refuseTwins(path: string, file: ConfigurationFile): void {
  for (const [list, members] of Object.entries(keys)) {
    const entries: readonly object[] = file[list as keyof typeof keys] ?? [];
    const named = entries.map((entry) =>
      JSON.stringify(members.map((member) => (entry as Record<string, unknown>)[member])).toLowerCase(),
    );
    const names = new Set<string>();
    for (const [index, name] of named.entries()) {
      const member = members.join(' and ');
      if (names.has(name))
        throw invalid(
          `/${list}/${index}/${members[0]}`,
          `${path}: /${list}/${index} has the same ${member} as an earlier entry.`,
        );
      names.add(name);
    }
  }
}
