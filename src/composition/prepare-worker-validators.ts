import { classify, FallbackError } from '../errors/index.ts';
import type { Logger, Plugin, PluginContext, Validator } from '../plugin/index.ts';
import { systemClock } from '../resilience/index.ts';
import type {
  DocumentWorkerData,
  DocumentWorkerMessage,
  ValidatorReference,
} from '../snapshot/document-worker-job.ts';
import { BUILT_INS } from './built-ins.ts';
import { importOptional } from './prepare-worker-import.ts';

type Send = (message: DocumentWorkerMessage) => void;

/** As many lines as one document's validators may log: the main thread writes them one by one. */
const MAX_LOG_LINES = 200;

/** The validators of the settings, made anew in this thread; their settings were checked in the main one. */
export async function createValidators(
  data: DocumentWorkerData,
  send: Send,
): Promise<{ id: string; validator: Validator }[]> {
  const log = loggerTo(send);
  const made: { id: string; validator: Validator }[] = [];
  for (const reference of data.validators) {
    made.push({ id: reference.id, validator: await create(reference, data, log) });
  }
  return made;
}

async function create(
  reference: ValidatorReference,
  data: DocumentWorkerData,
  log: Logger,
): Promise<Validator> {
  const plugin = await load(reference);
  try {
    return (await plugin.create(reference.settings, contextOf(reference, data, log))) as Validator;
  } catch (thrown) {
    throw classify(thrown, `validator ${reference.id}: could not be created`);
  }
}

async function load({ use, id, url }: ValidatorReference): Promise<Plugin> {
  const builtIn = Object.hasOwn(BUILT_INS.validator, use) ? BUILT_INS.validator[use] : undefined;
  let module: { readonly default?: unknown } | undefined;
  try {
    module = url === null ? await builtIn?.() : await import(url);
  } catch (cause) {
    throw notLoadable(id, url ?? use, (cause as Error).message, cause);
  }
  const plugin = module?.default as Plugin | undefined;
  if (plugin?.kind !== 'validator' || typeof plugin.create !== 'function') {
    throw notLoadable(id, url ?? use, 'there is no plugin of kind validator in it');
  }
  return plugin;
}

function contextOf({ id }: ValidatorReference, data: DocumentWorkerData, log: Logger): PluginContext {
  const { cluster, baseDirectory } = data;
  return {
    id,
    cluster,
    baseDirectory,
    log,
    clock: systemClock,
    error: (kind, message, options) =>
      new FallbackError(kind, `KF_PLUGIN_${kind.toUpperCase()}`, message, options),
    import: (specifier) => importOptional(specifier, baseDirectory),
  };
}

function loggerTo(send: Send): Logger {
  let left = MAX_LOG_LINES;
  const at = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (left-- <= 0) return;
    // JSON's own view of the fields always crosses to the other thread, whatever a plugin put there.
    send({ type: 'log', level, fields: JSON.parse(JSON.stringify(fields)) as object, message });
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function notLoadable(id: string, where: string, why: string, cause?: unknown): FallbackError {
  return new FallbackError(
    'invalid',
    'KF_WORKER_VALIDATOR',
    `validator ${id}: ${where} cannot be loaded in the worker: ${why}`,
    {
      cause,
      hint: 'The plugin may have been changed or removed since the start; `kongfallback config --all` loads and checks them all.',
    },
  );
}
