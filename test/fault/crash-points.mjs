// Preloaded into the real CLI (`node --import`): names every file operation below KF_CRASH_ROOT, and kills the process
// with SIGKILL at the one that KF_CRASH_AT names. No hook in the product is needed for it.
//
// A point is "<before|after> <operation> <path>", where random and digest parts of the path are replaced by "*", and
// "#n" numbers repetitions. KF_CRASH_LOG receives every point that was passed, one per line.
import { appendFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const { KF_CRASH_ROOT: root, KF_CRASH_AT: wanted, KF_CRASH_LOG: log } = process.env;
const seen = new Map();

function pass(when, operation, path) {
  const base = `${when} ${operation} ${name(path)}`;
  const count = (seen.get(base) ?? 0) + 1;
  seen.set(base, count);
  const point = `${base} #${count}`;
  if (log !== undefined) appendFileSync(log, `${point}\n`);
  if (point === wanted) process.kill(process.pid, 'SIGKILL');
}

const name = (path) => path.slice(root.length + 1).replace(/[0-9a-f]{16,}/g, '*');

const counts = (path) => typeof path === 'string' && path.startsWith(`${root}/`);

async function around(operation, path, work) {
  if (!counts(path)) return work();
  pass('before', operation, path);
  const result = await work();
  pass('after', operation, path);
  return result;
}

if (root !== undefined && isMainThread) {
  for (const operation of ['rename', 'link', 'unlink', 'mkdir']) {
    const original = fs[operation];
    // For rename and link the destination tells more than the temporary name that it comes from.
    const subject = operation === 'rename' || operation === 'link' ? 1 : 0;
    fs[operation] = (...args) => around(operation, args[subject], () => original(...args));
  }
  const open = fs.open;
  fs.open = async (path, flags, ...rest) => {
    const handle = await around(`open-${flags ?? 'r'}`, path, () => open(path, flags, ...rest));
    if (counts(path)) {
      for (const operation of ['write', 'writeFile', 'writev', 'sync', 'close']) {
        const original = handle[operation].bind(handle);
        handle[operation] = (...args) => around(operation, path, () => original(...args));
      }
    }
    return handle;
  };
  const writeFile = fs.writeFile;
  fs.writeFile = (path, ...rest) => around('writeFile', path, () => writeFile(path, ...rest));
  syncBuiltinESMExports();
}
