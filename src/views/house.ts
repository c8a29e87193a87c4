/** What every view and command of a window is given. */
import type * as vscode from 'vscode';
import type { CoterieApi } from '../service/api.ts';
import type { Say } from './say.ts';
import type { Session } from './session.ts';
import type { WorkspaceList } from './workspace-list.ts';

export interface House {
  readonly session: Session;
  readonly list: WorkspaceList;
  readonly say: Say;
  readonly context: vscode.ExtensionContext;
  /** For a first create or accept: asks for a name where none is known, then starts the service; undefined where the person would not. */
  begin(): Promise<CoterieApi | undefined>;
}
