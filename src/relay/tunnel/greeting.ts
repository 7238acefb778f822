import type { Socket } from 'node:net';
import { ClientHello } from './client-hello.ts';

/**
 * - `hello`: it asks for TLS, as every data plane does with its first bytes
 * - `noise`: it speaks something else
 * - `gone`: it left, or the signal fired
 */
export type Greeting = 'hello' | 'noise' | 'gone';

/** A hello has a few hundred bytes; this is a whole record with its header. */
const MOST_BYTES = 16_384 + 5;

/** What a paused socket says first; all of it is put back for whoever takes the socket over. Never rejects. */
export function greeting(socket: Socket, signal: AbortSignal): Promise<Greeting> {
  return new Promise((resolve) => {
    const hello = new ClientHello();
    const pieces: Buffer[] = [];
    let length = 0;
    const tell = (what: Greeting) => {
      socket.off('readable', listen).off('end', leave);
      signal.removeEventListener('abort', leave);
      if (length > 0 && !socket.destroyed && !socket.readableEnded) socket.unshift(Buffer.concat(pieces));
      resolve(what);
    };
    const leave = () => tell('gone');
    const listen = () => {
      for (let piece = take(socket); piece !== null; piece = take(socket)) {
        pieces.push(piece);
        length += piece.length;
        hello.read(piece);
        if (hello.isWhole) return tell('hello');
        if (hello.isOther || length > MOST_BYTES) return tell('noise');
      }
    };
    if (signal.aborted || socket.destroyed) return leave();
    signal.addEventListener('abort', leave, { once: true });
    socket.on('readable', listen).once('end', leave);
  });
}

const take = (socket: Socket): Buffer | null => socket.read() as Buffer | null;
