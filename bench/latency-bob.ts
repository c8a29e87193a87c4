/**
 * Bob's process of the latency benchmark: his two services, one direct and one by relay, and the bare echo. He tells when his
 * service has reported a change and the new content can be read.
 */
import { WebSocketServer } from 'ws';
import { now_ms } from './lib/figures.ts';
import { type Member, openMember } from './lib/member.ts';

export type Way = 'direct' | 'relay';
export type ToBob =
  | { readonly type: 'open'; readonly way: Way; readonly folder: string; readonly relay: string }
  | { readonly type: 'join'; readonly way: Way; readonly link: string }
  | { readonly type: 'look'; readonly way: Way; readonly workspace: string; readonly tool: string }
  | { readonly type: 'mark'; readonly way: Way }
  | { readonly type: 'bytes'; readonly way: Way }
  | {
      readonly type: 'content';
      readonly way: Way;
      readonly workspace: string;
      readonly tool: string;
      readonly path: string;
    }
  | { readonly type: 'close' };
export type FromBob =
  | { readonly type: 'ready'; readonly echoPort: number }
  | { readonly type: 'done'; readonly value: string }
  | {
      readonly type: 'seen';
      readonly way: Way;
      readonly path: string;
      readonly received: number | undefined;
      readonly reported: number;
      readonly readable: number;
    };

/** As in latency.ts, which must not be imported from its own child. */
const CHANGE_BYTES = 250;

const members = new Map<Way, Member>();
const tell = (message: FromBob): void => void process.send!(message);

process.on('message', (message: ToBob) => void obey(message));

async function obey(message: ToBob): Promise<void> {
  if (message.type === 'close') {
    for (const member of members.values()) await member.close();
    process.exit(0);
  }
  const known = members.get(message.way);
  switch (message.type) {
    case 'open': {
      const member = await openMember({ name: 'Bob', folder: message.folder, relay: message.relay });
      members.set(message.way, member);
      watch(message.way, member);
      return tell({ type: 'done', value: '' });
    }
    case 'join': {
      const whole = known!.next((event) => event.type === 'join' && event.join.state === 'done');
      await known!.api.acceptInvitation(message.link);
      await whole;
      return tell({ type: 'done', value: '' });
    }
    case 'look':
      // Changes are reported of folders that somebody has looked into, as whoever has a tab open there did.
      await known!.api.list(message.workspace, message.tool, '/');
      return tell({ type: 'done', value: '' });
    case 'mark':
      known!.mark();
      return tell({ type: 'done', value: '' });
    case 'bytes':
      return tell({ type: 'done', value: JSON.stringify(known!.transport.counters) });
    case 'content': {
      const bytes = await known!.api.read(message.workspace, message.tool, message.path);
      return tell({ type: 'done', value: Buffer.from(bytes).toString('base64') });
    }
  }
}

/** The clock stops when the event has fired and the content is here: some versions bring it later than their delta. */
function watch(way: Way, member: Member): void {
  member.events((event) => {
    if (event.type !== 'files') return;
    const reported = now_ms();
    const received = member.receivedAt(CHANGE_BYTES);
    const path = event.changes.at(-1)!.path;
    const present = async (): Promise<boolean> => (await member.api.stat(event.workspace, event.tool, path)).present;
    const wait = async (): Promise<void> => {
      let readable = reported;
      while (!(await present())) {
        await member.next((other) => other.type === 'workspaces');
        readable = now_ms();
      }
      tell({ type: 'seen', way, path, received, reported, readable });
    };
    void wait();
  });
}

const echo = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
echo.once('listening', () => tell({ type: 'ready', echoPort: (echo.address() as { port: number }).port }));
