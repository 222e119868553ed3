/** Where the program is. Modules do not say it relative to themselves: a start may take them from the bundle (bin/bundle.js). */

import { existsSync } from 'node:fs';
import path from 'node:path';

/** The folder that holds package.json, bin, db, docs and views. */
export const programFolder = nearestAbove(import.meta.dirname, 'bin/latchkey.js');

/** The path of a file of the program, named as in the repository. */
export const programFile = (name: string): string => path.join(programFolder, name);

function nearestAbove(folder: string, file: string): string {
  if (existsSync(path.join(folder, file))) return folder;
  const parent = path.dirname(folder);
  if (parent === folder) throw new Error(`${file} is missing: install Latchkey again.`);
  return nearestAbove(parent, file);
}
