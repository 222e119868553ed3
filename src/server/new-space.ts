import v8 from 'node:v8';

/**
 * Lets V8 enlarge the space of new objects under load, by its usual factor. `bin/latchkey.js` limits it before: loading and compiling the
 * program would enlarge it by 40 MB, which V8 seldom releases and an idle server does not use.
 */
export function letNewSpaceGrow(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=2');
}
