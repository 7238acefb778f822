import { request } from 'node:http';

/** It answers a few bytes from memory. */
const DEADLINE_MS = 2000;
const MOST_BYTES = 1024;

/** Does a kongfallback answer on `service.listen`? Never throws. */
export async function runningService(listen: string, signal: AbortSignal): Promise<boolean> {
  if (listen === 'off') return false;
  return new Promise((resolve) => {
    const asked = request(`http://${listen}/health/live`, { signal, timeout: DEADLINE_MS }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
        if (text.length > MOST_BYTES) asked.destroy();
      });
      answer.on('end', () => resolve(text.trim() === '{"live":true}'));
      answer.on('error', () => resolve(false));
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.on('close', () => resolve(false));
    asked.end();
  });
}
