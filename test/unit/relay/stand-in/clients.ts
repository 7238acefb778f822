import { EventEmitter, once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import WebSocket from 'ws';
import { secured } from '../../../stand-in/data-plane.ts';
import type { StandInAtWork } from '../../../stand-in/data-plane-relay.ts';

export const OUTLET = '/v1/outlet?node_id=1&node_hostname=odd&node_version=3.9.3';

/** A session that says nothing by itself. */
export class OddDataPlane extends EventEmitter {
  readonly websocket: WebSocket;
  readonly socket: TLSSocket;
  readonly frames: Buffer[] = [];
  readonly pongs: Buffer[] = [];
  readonly closed: Promise<number>;

  constructor(websocket: WebSocket, socket: TLSSocket) {
    super();
    this.websocket = websocket;
    this.socket = socket;
    this.closed = new Promise((resolve) => websocket.once('close', resolve));
    websocket
      .on('error', () => {})
      .on('pong', (payload) => this.pongs.push(payload))
      .on('message', (data) => {
        this.frames.push(data as Buffer);
        this.emit('frame');
      });
  }

  introduce(info: unknown = { type: 'basic_info', plugins: [{ name: 'key-auth' }] }): void {
    this.websocket.send(Buffer.from(JSON.stringify(info)), { binary: true });
  }

  async received(frames: number): Promise<number> {
    while (this.frames.length < frames) await once(this, 'frame');
    return this.frames.length;
  }
}

/** Connected and upgraded, and not a word more. */
export async function silentDataPlane(
  atWork: StandInAtWork,
  path = OUTLET,
  protocols: string[] = [],
): Promise<OddDataPlane> {
  const socket = await secured({ port: atWork.port, certificate: atWork.certificate });
  const websocket = new WebSocket(`ws://127.0.0.1:${atWork.port}${path}`, protocols, {
    createConnection: () => socket,
    perMessageDeflate: false,
    autoPong: false,
  });
  const dataPlane = new OddDataPlane(websocket, socket);
  await new Promise<void>((resolve, reject) => {
    websocket.once('open', resolve);
    websocket.once('error', reject);
  });
  return dataPlane;
}

/** Says what it is, and never pings. */
export async function quietDataPlane(atWork: StandInAtWork): Promise<OddDataPlane> {
  const dataPlane = await silentDataPlane(atWork);
  dataPlane.introduce();
  return dataPlane;
}
