import { readdirSync, readlinkSync } from 'node:fs';

/** Ids of the processes whose working directory is a folder or below it, such as all of PostgreSQL's. */
export function processesIn(folder: string): number[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isSafeInteger);
  return pids.filter((pid) => {
    const at = workingFolder(pid);
    return at === folder || at.startsWith(`${folder}/`);
  });
}

function workingFolder(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // ended meanwhile
  }
}
