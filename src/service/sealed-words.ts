/**
 * What is said under a seal that is no epoch's (K5): of an invitation, a link code, a way back, or two devices. Each of them is shown to a relay
 * as what its sender may write there (R4).
 */
import type { DeviceId } from '../base/ids.ts';
import type { SealKey } from '../sync/envelope.ts';
import { capabilityOf } from '../sync/epoch.ts';
import type { Message } from '../sync/messages.ts';
import { Lane, type SubmitOutcome } from '../sync/ports.ts';
import { sealSaid } from '../sync/signed.ts';
import type { Hub } from './hub.ts';

/** Who is spoken to; the address of his relay, empty where he has none. */
export interface Addressee {
  readonly device: DeviceId;
  readonly relay: string;
}

/** On the direct paths that are open. Answers whether there was one. */
export function sayDirectly(hub: Hub, seal: SealKey, devices: readonly DeviceId[], message: Message): boolean {
  const bytes = sealSaid(hub.crypto, hub.identity.signer, seal, 'direct', message);
  return devices.filter((device) => hub.transport.send(device, bytes, Lane.control)).length > 0;
}

/** To the relays of those that have one. What the relays say of it, in that order; nothing where they cannot be reached. */
export async function sayByRelay(
  hub: Hub,
  seal: SealKey,
  to: readonly Addressee[],
  message: Message,
): Promise<readonly SubmitOutcome[]> {
  const recipients = to
    .filter(({ relay }) => relay !== '')
    .map(({ device, relay }) => ({ device, relay, capability: capabilityOf(hub.crypto, seal.key, device) }));
  if (recipients.length === 0) return [];
  const bytes = sealSaid(hub.crypto, hub.identity.signer, seal, 'relay', message);
  try {
    return await hub.transport.submit(recipients, bytes, { ephemeral: false });
  } catch {
    return [];
  }
}

/** On the path that is open: he asks again where none is. */
export async function answer(hub: Hub, seal: SealKey, to: Addressee, message: Message): Promise<void> {
  if (!sayDirectly(hub, seal, [to.device], message)) await sayByRelay(hub, seal, [to], message);
}
