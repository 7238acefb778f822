import type { NamedValidator } from '../export/prepare.ts';
import type { Logger } from '../plugin/index.ts';
import { systemClock } from '../resilience/clock.ts';
import type { DocumentWorkerData, DocumentWorkerMessage } from '../snapshot/document-worker-job.ts';
import { VALIDATORS } from './built-ins.ts';
import { createPlugin } from './plugin-create.ts';
import { loadPlugin } from './plugin-load.ts';

type Send = (message: DocumentWorkerMessage) => void;

/** As many lines as one document's validators may log: the main thread writes them one by one. */
const MAX_LOG_LINES = 200;

/**
 * The validators of the settings, made anew in this thread; their settings were checked in the main one.
 *
 * @throws FallbackError `invalid` KF_PLUGIN_INVALID, KF_PLUGIN_WRONG_KIND; what a validator's `create` throws
 */
export async function createValidators(data: DocumentWorkerData, send: Send): Promise<NamedValidator[]> {
  const { baseDirectory, cluster } = data;
  const dependencies = {
    cluster,
    folders: { baseDirectory, cwd: process.cwd() },
    log: loggerTo(send),
    clock: systemClock,
  };
  const created: NamedValidator[] = [];
  for (const { id, use, url, settings } of data.validators) {
    const plugin = await loadPlugin({ kind: 'validator', use, url }, VALIDATORS);
    const entry = { id, use, plugin, settings };
    created.push({ id, validator: await createPlugin('validator', entry, dependencies) });
  }
  return created;
}

function loggerTo(send: Send): Logger {
  let left = MAX_LOG_LINES;
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (left-- <= 0) return;
    send({ type: 'log', level, fields: plain(fields), message: String(message) });
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** JSON's view of the fields: whatever a plugin puts there, functions or cycles, logging must not fail. */
function plain(fields: object): object {
  try {
    return JSON.parse(JSON.stringify(fields)) as object;
  } catch {
    return {};
  }
}
