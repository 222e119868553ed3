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

/** Jest's message to a worker without further work (`CHILD_MESSAGE_END` of jest-worker). */
const endMessage = 2;

/**
 * Jest gives a worker half a second to end, and reports a leak otherwise. Returning hundreds of megabytes takes V8 longer on a busy machine,
 * so the worker leaves that to the system, and reports itself what tests have left open.
 */
process.on('message', ([type]) => {
  if (type !== endMessage) return;
  const open = process.getActiveResourcesInfo().filter((what) => what !== 'PipeWrap');
  if (open.length > 0) process.stderr.write(`Tests have left open: ${open.join(', ')}\n`);
  // Jest replaces `process.exit` while tests run.
  process.reallyExit(0);
});

module.exports = NativeRuntime;
