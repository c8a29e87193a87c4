/** A TCP proxy on loopback that can break, hold and record what runs through it. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Proxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  /** What is under way on a path that is slow. */
  readonly #late = new Set<NodeJS.Timeout>();
  #delay_ms: number | undefined;
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
      if (this.#delay_ms === undefined) {
        near.pipe(far);
        far.pipe(near);
      } else {
        this.#slow(near, far);
        this.#slow(far, near);
      }
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
    const first = this.#delay_ms === undefined;
    this.#delay_ms = ms;
    if (!first) return;
    for (const [near, far] of this.#pairs) {
      this.#slow(near, far);
      this.#slow(far, near);
    }
  }

  #slow(from: Socket, to: Socket): void {
    from.unpipe(to);
    from.on('data', (bytes) => {
      const timer = setTimeout(() => {
        this.#late.delete(timer);
        if (to.writable) to.write(bytes);
      }, this.#delay_ms);
      this.#late.add(timer);
    });
    from.resume();
  }

  /** Breaks every connection: what is under way is lost. */
  cut(): void {
    for (const timer of this.#late) clearTimeout(timer);
    this.#late.clear();
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
