export { type FindingSeverity, Findings, type StandingFinding } from './findings.ts';
export {
  createLogger,
  escapeControls,
  type LoggerOptions,
  type LogLevel,
  printable,
  silentLogger,
} from './logger.ts';
export { Redactor } from './redact.ts';
