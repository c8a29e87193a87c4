/** The API: workspaces that go on in a new one, from either side. */
import type { CallKey, ContinuingApi } from './api.ts';
import type { Calls } from './calls.ts';
import type { Continuing } from './continuing.ts';
import type { Offers } from './offers.ts';

export function continuingApi(continuing: Continuing, offers: Offers, calls: Calls, call?: CallKey): ContinuingApi {
  return {
    continueWorkspace: (workspace, options, operation) =>
      calls.long(operation, (signal, onProgress) => continuing.continue(workspace, options, signal, onProgress)),

    offers: async () => offers.infos(),

    answerOffer: (offer, accept) => calls.change(call, () => offers.answer(offer, accept, call)),
  };
}
