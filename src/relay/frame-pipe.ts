/**
 * A path that carries frames in order, with their boundaries: all that a session knows of the network (T1). WebSocket is one
 * (ws-pipe.ts); HTTP requests and long polls can be another.
 */
export interface FramePipe {
  send(frame: Uint8Array): void;
  /** Sent and not yet taken by the system. */
  readonly bufferedBytes: number;
  /** Asks the other side's system to wait. A few frames that have been read already may still come. */
  pause(): void;
  resume(): void;
  /** Lets what was sent go out, then ends. */
  close(): void;
  /** Called once, before any frame can arrive. */
  listen(listener: FramePipeListener): void;
}

export interface FramePipeListener {
  frame(bytes: Uint8Array): void;
  /** `bufferedBytes` has become less. */
  drained(): void;
  /** The last call. */
  closed(): void;
}
