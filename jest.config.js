import { availableParallelism } from 'node:os';

/** @type {import('jest').Config} */
const config = {
  testEnvironment: '<rootDir>/test/support/native-environment.cjs',
  runtime: '<rootDir>/test/support/native-runtime.cjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {},
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  testSequencer: '<rootDir>/test/support/long-files-first.js',
  // What is skipped is told with its reason at the end.
  reporters: ['default', '<rootDir>/test/support/skipped-reporter.js'],
  // A busy machine with one core takes a minute to start two servers; what a test promises about time it measures itself.
  testTimeout: 240_000,
  // Tests often wait for clocks, so one worker more than there are cores keeps the cores busy. More than four workers would need more
  // connections than a PostgreSQL server named by LATCHKEY_TEST_DATABASE_URL usually allows.
  maxWorkers: Math.min(4, availableParallelism() + 1),
};

export { config as default };
