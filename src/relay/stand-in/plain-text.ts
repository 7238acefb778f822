import { escapeControls } from '../../observe/index.ts';

const MAX_CHARACTERS = 200;

/** What a data plane says of itself, fit for a log: no control characters, at most 200 characters. */
export function plainText(text: string): string {
  return escapeControls(text.slice(0, MAX_CHARACTERS)).slice(0, MAX_CHARACTERS);
}
