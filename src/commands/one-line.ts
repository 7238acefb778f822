import { escapeControls } from '../observe/index.ts';

/** An error that lists what it tried or what is wrong, for a place that has one line. */
export const oneLine = (message: string): string =>
  escapeControls(message.replaceAll(/:\n */g, ': ').replaceAll(/\n */g, '; '));
