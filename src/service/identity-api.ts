/** The API: who this is, and the way out. */
import type { IdentityApi } from './api.ts';
import { relayInfo, type ThisDevice } from './this-device.ts';
import type { Workspaces } from './workspaces.ts';

export function identityApi(device: ThisDevice, workspaces: Workspaces): IdentityApi {
  return {
    identity: async () => device.info(),

    configure: async (settings) => {
      device.configure(settings);
      await workspaces.announce();
    },

    relay: async () => relayInfo(device.transport.relayState),
  };
}
