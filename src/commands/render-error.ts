import { codeOf, EXIT_CODE_OF_KIND, kindOf } from '../errors/index.ts';
import { escapeControls } from '../observe/index.ts';

/** An error without kind and code is a defect of ours. */
const INTERNAL_ERROR = 1;

export function exitCodeOf(error: unknown): number {
  const kind = kindOf(error);
  return kind === undefined || codeOf(error) === undefined ? INTERNAL_ERROR : EXIT_CODE_OF_KIND[kind];
}

/** For standard error: one message with its code, then what to do. Lines of a list keep their own lines. */
export function renderError(error: unknown): string {
  const { message, hint } = describeError(error);
  const code = codeOf(error);
  const lines = message.split('\n').map(escapeControls).join('\n  ');
  if (code === undefined) {
    const stack = error instanceof Error ? `\n${escapeStack(error.stack ?? '')}` : '';
    return `error: ${lines}${stack}\n  This is a defect of kongfallback; please report it with the lines above.\n`;
  }
  return `error: ${lines} [${code}]\n${hint === undefined ? '' : `  hint: ${escapeControls(hint)}\n`}`;
}

/** For `--json`. */
export function errorJson(error: unknown): { code: string; kind?: unknown; message: string; hint?: string } {
  const { message, hint } = describeError(error);
  const kind = (error as { kind?: unknown })?.kind;
  return {
    code: codeOf(error) ?? 'KF_INTERNAL',
    ...(kind !== undefined && { kind }),
    message,
    ...(hint !== undefined && { hint }),
  };
}

function describeError(error: unknown): { message: string; hint?: string } {
  const message = error instanceof Error ? error.message : String(error);
  const hint = (error as { hint?: unknown } | null)?.hint;
  return { message, ...(typeof hint === 'string' && { hint }) };
}

const escapeStack = (stack: string): string => stack.split('\n').slice(1).map(escapeControls).join('\n');
