import path from 'node:path';

/** Reasons follow a title in this way (`test/support/where-possible.ts`). */
const reasonOf = (title) => /\(skipped: (.+?)\)/.exec(title)?.[1] ?? 'no reason given';

/**
 * Lists skipped tests and their reasons at the end of a run: otherwise they would be overlooked in a green run.
 *
 * @param {{ testFilePath?: string, name?: string, testResults?: object[], assertionResults?: object[] }[]} files results by file,
 *   as Jest's reporters receive them or as `--json` writes them
 * @param {string} root the folder that shown paths are relative to
 * @returns {string[]} lines
 */
export function skippedLines(files, root) {
  const counts = new Map();
  for (const { testFilePath, name, testResults, assertionResults } of files) {
    const file = path.relative(root, testFilePath ?? name ?? '');
    for (const { status, fullName } of testResults ?? assertionResults ?? []) {
      if (status !== 'pending' && status !== 'todo') continue;
      const key = `${reasonOf(fullName)} (${file})`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts].map(([key, count]) => `Skipped: ${count} ${count === 1 ? 'test' : 'tests'}: ${key}`);
}

/** A Jest reporter. */
class SkippedReporter {
  #root;

  constructor({ rootDir }) {
    this.#root = rootDir;
  }

  onRunComplete(_contexts, { testResults }) {
    for (const line of skippedLines(testResults, this.#root)) process.stderr.write(`${line}\n`);
  }
}

// biome-ignore lint/style/noDefaultExport: Jest takes a reporter by its default export.
export { SkippedReporter as default };
