import pg from 'pg';

/**
 * Runs a psql script with the commands of ours: `\getenv`, `\set ON_ERROR_STOP`, `:'variable'` and SQL, one statement after the other.
 *
 * @throws the error of the database, or if the script has another psql command
 */
export async function runScript(url: string, script: string, environment: Record<string, string>): Promise<void> {
  const variables = new Map<string, string>();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const lines = script.split('\n').filter((line) => !line.startsWith('--'));
    for (const command of lines.filter((line) => line.startsWith('\\'))) {
      const [, name = '', from = ''] = /^\\getenv (\w+) (\w+)$/.exec(command) ?? [];
      if (name) variables.set(name, environment[from] ?? '');
      else if (command !== '\\set ON_ERROR_STOP on') throw new Error(`unknown command: ${command}`);
    }
    const text = lines.filter((line) => !line.startsWith('\\')).join('\n');
    const statements = text.split(/;\s*(?:\n|$)/).filter((statement) => statement.trim() !== '');
    for (const statement of statements) {
      await client.query(
        statement.replaceAll(/:'(\w+)'/g, (_, name) => client.escapeLiteral(variables.get(name) ?? '')),
      );
    }
  } finally {
    await client.end();
  }
}
