const { ModuleMocker } = require('jest-mock');

/** The globals of the process itself (native-runtime.cjs), with Jest's console while a file runs. */
class NativeEnvironment {
  global = globalThis;
  moduleMocker = new ModuleMocker(globalThis);
  #console = globalThis.console;

  async setup() {}

  async teardown() {
    globalThis.console = this.#console;
  }

  exportConditions() {
    return ['node', 'node-addons'];
  }

  getVmContext() {
    return null;
  }
}

module.exports = NativeEnvironment;
