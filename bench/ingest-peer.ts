/** The process of the ingest benchmark that holds everything: a real service, which serves whoever connects. */
import type { DeviceSecrets } from '../src/service/api.ts';
import { now_ms } from './lib/figures.ts';
import { type Member, openMember } from './lib/member.ts';

export type ToPeer =
  | { readonly type: 'open'; readonly folder: string; readonly name: string; readonly secrets: DeviceSecrets }
  /** Tell when this member has everything, durably. */
  | { readonly type: 'serve'; readonly workspace: string; readonly member: string }
  | { readonly type: 'close' };
export type FromPeer =
  | { readonly type: 'open'; readonly address: string }
  /** When the first large message went out, when the last acknowledgement was in, what went over the sockets, and how busy it was. */
  | {
      readonly type: 'served';
      readonly first_ms: number;
      readonly last_ms: number;
      readonly bytes: number;
      readonly cpu_ms: number;
    };

/** A message with deltas is longer than this; words about them are not. */
const BATCH_AT_LEAST_BYTES = 10_000;
const LOOK_EVERY_MS = 5;

let member: Member | undefined;
const tell = (message: FromPeer): void => void process.send!(message);

process.on('message', (message: ToPeer) => void obey(message));

async function obey(message: ToPeer): Promise<void> {
  switch (message.type) {
    case 'open': {
      const { folder, name, secrets } = message;
      member = await openMember({ name, folder, relay: '', secrets });
      return tell({ type: 'open', address: member.transport.listening[0]! });
    }
    case 'serve':
      return serve(message.workspace, message.member);
    case 'close':
      await member?.close();
      process.exit(0);
  }
}

async function serve(workspace: string, account: string): Promise<void> {
  const { api, transport } = member!;
  member!.mark();
  const cpu = process.cpuUsage();
  const before = transport.counters.directSentBytes;
  const isWhole = async (): Promise<boolean> => {
    if (member!.sentAt(BATCH_AT_LEAST_BYTES) === undefined) return false;
    const info = (await api.workspaces()).find(({ id }) => id === workspace)!;
    return info.members.find((one) => one.account === account)!.inSync;
  };
  while (!(await isWhole())) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  const { user, system } = process.cpuUsage(cpu);
  tell({
    type: 'served',
    first_ms: member!.sentAt(BATCH_AT_LEAST_BYTES)!,
    last_ms: now_ms(),
    bytes: transport.counters.directSentBytes - before,
    cpu_ms: (user + system) / 1000,
  });
}
