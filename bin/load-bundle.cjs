// Loads the bundle with V8's code cache where the build left one for this very Node: compiling is a third of a start,
// and Node has a cache of its own from 22.8 only. Nothing is ever written here, so a cache is trusted exactly as far as
// the bundle beside it; V8 refuses one that another version or other flags made.
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { basename, join } = require('node:path');
const { Script } = require('node:vm');
const { crc32 } = require('node:zlib');

const WRAPPER = ['(function(exports,require,module,__filename,__dirname){', '\n})'];
const CHECKSUM_BYTES = 4;
/** Not import-module.cjs, whose comment says why. */
const CACHED = ['cli.cjs', 'client-s3.cjs'];

/** A file of the bundle, and the code cache that may lie beside it. */
class CachedScript {
  #file;
  #source;
  #script;

  constructor(file) {
    this.#file = file;
  }

  /** Undefined without a cache that fits. `useCache: false` compiles anew, so that `writeCache` can be called. */
  compile({ useCache = true } = {}) {
    const cached = useCache ? readIfThere(this.#cacheFile) : Buffer.alloc(0);
    if (cached === undefined) return undefined;
    this.#source = readFileSync(this.#file);
    const cachedData = cached.subarray(0, -CHECKSUM_BYTES);
    // V8 compares the length of the source and nothing else; a cache of another source ends in wild behaviour.
    if (useCache && !this.#checksum(cachedData).equals(cached.subarray(-CHECKSUM_BYTES))) return undefined;
    // The bundler writes ASCII only. The name is for stack traces; V8 takes it from the cache, so it holds no path.
    const source = WRAPPER.join(this.#source.latin1Slice());
    this.#script = new Script(source, { filename: `kongfallback/${basename(this.#file)}`, cachedData });
    return this.#script.runInThisContext();
  }

  /** What `compile` made and what has been called of it since, as the bytes of a cache. */
  cache() {
    const data = this.#script.createCachedData();
    return { file: this.#cacheFile, bytes: Buffer.concat([data, this.#checksum(data)]) };
  }

  #checksum(data) {
    const checksum = Buffer.alloc(CHECKSUM_BYTES);
    checksum.writeUInt32LE(crc32(data, crc32(this.#source)));
    return checksum;
  }

  get #cacheFile() {
    return `${this.#file}.${process.version}-${process.platform}-${process.arch}.cache`;
  }
}

/** @returns its `load(name)` gives what a file of the folder exports; `scripts` holds those that were compiled here */
function bundleIn(folder, options) {
  const native = createRequire(join(folder, 'cli.cjs'));
  const scripts = [];
  const modules = new Map();

  function load(name) {
    const known = modules.get(name);
    if (known !== undefined) return known.exports;
    const file = join(folder, name);
    const script = new CachedScript(file);
    const run = CACHED.includes(name) ? script.compile(options) : undefined;
    if (run === undefined) return native(file);
    scripts.push(script);
    const module = { exports: {} };
    modules.set(name, module);
    const require = (id) => (id.startsWith('./') ? load(id.slice(2)) : native(id));
    run(module.exports, require, module, file, folder);
    return module.exports;
  }

  return { load, scripts };
}

function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

module.exports = { bundleIn };
