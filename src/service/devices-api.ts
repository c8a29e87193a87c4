/** The API: the devices of this person's account, and how a further one comes to it. */
import type { Account } from './account.ts';
import type { CallKey, DevicesApi } from './api.ts';
import type { Calls } from './calls.ts';
import { named } from './names.ts';

/** The account's parts are others once it is another: they are asked for with each call. */
export function devicesApi(account: Account, calls: Calls, call?: CallKey): DevicesApi {
  return {
    recoveryPhrase: async () => account.phrase(),
    restoreAccount: (phrase) => calls.do(() => account.restore(phrase)),

    makeLinkCode: (scheme) => calls.do(() => account.codes.make(scheme)),
    withdrawLinkCode: () => calls.do(() => account.codes.withdraw()),
    deviceRequests: async () => account.codes.requests(),
    answerDevice: (request, accept) => calls.change(call, () => account.codes.answer(request, accept, call)),

    linkDevice: (code) => calls.do(() => account.link(code)),
    linking: async () => account.linking(),
    cancelLink: () => calls.do(() => account.cancelLink()),

    devices: async () => account.devices.infos(),
    renameDevice: (device, name) => calls.do(() => account.devices.rename(device, named(name))),
    removeDevice: (device) => calls.change(call, () => account.devices.remove(device, call)),
  };
}
