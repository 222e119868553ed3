import { readFileSync } from 'node:fs';
import { programFile } from '../platform/program/index.ts';

/** This program's version. */
export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(programFile('package.json'), 'utf8')) as { version: string };
  return version;
}
