import TestSequencer from '@jest/test-sequencer';

/** Files that take minutes, the slowest first. Without a record of earlier runs, Jest sorts by file size, but the slowest is short. */
const longest = [
  'test/docs-as-read.test.ts',
  'test/server/main.test.ts',
  'test/examples/three-services.test.ts',
  'test/e2e/looks-of-console.test.ts',
  'test/resilience/revocation-races.test.ts',
  'test/resilience/starting.test.ts',
  'test/resilience/killed-starts.test.ts',
  'test/resilience/killed-migrations.test.ts',
  'test/resilience/late-and-gone.test.ts',
  'test/entrypoints/cli/which-installation.test.ts',
  'test/domain/apply/access.test.ts',
  'test/e2e/own-keys.test.ts',
];

/** Starts with the slowest files, so that no core is idle at the end of a run. */
class LongFilesFirst extends TestSequencer {
  sort(tests) {
    const place = ({ path }) => {
      const found = longest.findIndex((file) => path.endsWith(`/${file}`));
      return found < 0 ? longest.length : found;
    };
    return super.sort(tests).sort((left, right) => place(left) - place(right));
  }
}

// biome-ignore lint/style/noDefaultExport: Jest takes a sequencer by its default export.
export { LongFilesFirst as default };
