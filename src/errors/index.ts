export { classify, codeOf, FallbackError, type FallbackErrorOptions, kindOf } from './fallback-error.ts';
export { ERROR_KINDS, type ErrorKind, EXIT_CODE_OF_KIND, isErrorKind } from './kinds.ts';
