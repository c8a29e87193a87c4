/** A TCP proxy on loopback that can break, hold and record what runs through it. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

function late(from: Socket, to: Socket, ms: number): void {
  from.unpipe(to);
  from.on('data', (bytes) => void setTimeout(() => to.writable && to.write(bytes), ms));
  from.resume();
}

export class Proxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** What the dialling side has sent, connection by connection. */
  readonly recorded: Buffer[][] = [];
  accepted = 0;

  private constructor(target: number) {
    this.#server = createServer((near) => {
      this.accepted++;
      const far = connect(target, '127.0.0.1');
      const pair = [near, far] as const;
      const record: Buffer[] = [];
      this.recorded.push(record);
      this.#pairs.add(pair);
      near.on('data', (bytes) => record.push(Buffer.from(bytes)));
      near.pipe(far);
      far.pipe(near);
      for (const socket of pair) {
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#pairs.delete(pair);
          near.destroy();
          far.destroy();
        });
      }
    });
  }

  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on everything takes so long each way, in order, as on a path that is slow and not broken. */
  delay(ms: number): void {
    for (const [near, far] of this.#pairs) {
      late(near, far, ms);
      late(far, near, ms);
    }
  }

  /** Breaks every connection. */
  cut(): void {
    for (const pair of [...this.#pairs]) for (const socket of pair) socket.destroy();
  }

  /** Holds everything back, as a network does that has gone without saying so. */
  freeze(): void {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far).pause();
      far.unpipe(near).pause();
    }
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
