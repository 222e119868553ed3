const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');
const { default: JestRuntime } = require('jest-runtime');

const eventHandlers = Symbol.for('EVENT_HANDLERS');
let files = 0;

/**
 * Loads test files as Node itself does: the program and its libraries are loaded once a worker instead of once a file, which was a quarter of
 * the processor time of a run. Files share a process and its globals. https://jestjs.io/docs/configuration#runtime-string
 */
class NativeRuntime extends JestRuntime {
  /** Jest's own modules; the framework is made anew for each file, because its state is one file's. */
  requireInternalModule(path) {
    const native = createRequire(path);
    if (path.includes('jestAdapterInit')) {
      delete globalThis[eventHandlers];
      delete native.cache[path];
    }
    return native(path);
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  unstable_importModule(path) {
    files += 1;
    return import(`${pathToFileURL(path)}?file=${files}`);
  }
}

module.exports = NativeRuntime;
