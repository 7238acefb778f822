import { strict as assert } from 'node:assert';
import { type ErrorKind, kindOf } from '../errors/index.ts';

/** That a call ends in an error of one of these kinds; gives the error back. */
export async function assertKind(
  work: Promise<unknown> | (() => Promise<unknown>),
  kinds: ErrorKind | readonly ErrorKind[],
  what: string,
): Promise<Error> {
  const wanted = typeof kinds === 'string' ? [kinds] : kinds;
  let value: unknown;
  try {
    value = await (typeof work === 'function' ? work() : work);
  } catch (error) {
    const kind = kindOf(error);
    assert.ok(
      kind !== undefined && wanted.includes(kind),
      `${what}: rejects with kind ${wanted.join(' or ')}, not ${kind ?? 'without a kind'}: ${String(error)}`,
    );
    assert.ok(error instanceof Error && error.message !== '', `${what}: the error has a message`);
    return error;
  }
  assert.fail(`${what}: rejects with kind ${wanted.join(' or ')}, but it resolved with ${typeof value}`);
}
