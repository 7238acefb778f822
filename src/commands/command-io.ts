import type { Redactor } from '../observe/redact.ts';

/** What a command knows of its process, so that tests run commands without one. */
export interface CommandIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Standard output for bytes, where it is not the process's own. */
  readonly output?: Pick<NodeJS.WriteStream, 'isTTY'> & Pick<NodeJS.WritableStream, 'write'>;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Standard error is a person's terminal. */
  readonly terminal: boolean;
  /** Learns the secrets of all settings that are read; the error that ends the command goes through it. */
  readonly redactor?: Redactor;
  /** The command's exit code; the process ends after everything is closed. */
  readonly exit: (code: number) => void;
}
