/**
 * A module by its URL. Alone in this file: in the bundle it is a file of its own too, because code that comes out of
 * V8's code cache cannot import on Node 20 (ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING).
 */
export const importModule = (url: string): Promise<unknown> => import(url);
