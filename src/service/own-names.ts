/**
 * This device's word of itself in a workspace: its person's name, its own, and where its relay is.
 *
 * In local state: `said/<workspace>` = the name of the person that was said last.
 */
import type { WorkspaceId } from '../base/ids.ts';
import { controlBody } from '../sync/control.ts';
import type { Hub } from './hub.ts';
import type { SharedWorkspace } from './shared-workspace.ts';

/** Said anew where the roster has others. */
export async function announceSelf(hub: Hub, workspace: SharedWorkspace): Promise<void> {
  const { roster, self } = workspace;
  const record = roster.records.get(hub.identity.device);
  if (!record || !self) return;
  const relay = (hub.relay() ?? '').split('/').slice(0, 4).join('/');
  const [name, deviceName] = [nameToSay(hub, workspace.id, self.name), hub.deviceName()];
  if (record.relay === relay && record.name === deviceName && self.name === name) return;
  await workspace.control('profile', controlBody.profile(name, relay, deviceName));
}

/** A name that this device has said, and that another of the same person has changed since, is not said again. */
function nameToSay(hub: Hub, workspace: WorkspaceId, present: string): string {
  const name = hub.displayName();
  const key = `said/${workspace}`;
  if (hub.local.get(key) === name) return present;
  hub.local.put(key, name);
  return name;
}
