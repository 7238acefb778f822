import { codeOf, kindOf } from '../../src/errors/index.ts';

/** What a decoder made of the bytes, or undefined when it refused them as it must; throws any other exception. */
export function refusedOr<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch (error) {
    checkRefusal(error);
    return undefined;
  }
}

/** An error with kind, code and a hint, whose message is of a size to be read. */
export function checkRefusal(error: unknown): void {
  if (kindOf(error) === undefined || codeOf(error) === undefined) throw error;
  const { message, hint } = error as { message: string; hint?: string };
  if (message.length > LONGEST_MESSAGE) throw new Error(`a message of ${message.length} characters`);
  if (hint === undefined || hint.length < 10) throw new Error(`no hint: ${message}`);
}

/** Lists of key ids and paths make some long; input must not make them longer. */
const LONGEST_MESSAGE = 16_384;
